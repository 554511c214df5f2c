"""The patient's page."""

from collections.abc import Mapping

from flask import render_template
from werkzeug.datastructures import LanguageAccept

from server.patient_page.opened import Opened
from server.trust.clients import Client


def render(opened: Opened, query: Mapping[str, str], language: str) -> str:
    """The page."""
    return render_template("smart/patient.html", opened=opened, version=opened.basis.knowledge.version)


def language_of(client: Client, accepted: LanguageAccept) -> str:
    """The client's language; where it is registered with none of its own, the browser's."""
    return client.language if client.language != "en" else accepted.best_match(("en", "de"), "en")
