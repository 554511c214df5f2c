"""`/smart/static/…`: style, script and icon of the page; the same for everybody."""

from flask import Blueprint

from server.patient_page.rendering import STATIC


def patient_page_static_blueprint() -> Blueprint:
    """The files that the page needs."""
    return Blueprint("patient_page", __name__, static_folder="static", static_url_path=STATIC)
