"""`/connect`: the connection sheet as a page that needs no script, and prints."""

import re
from pathlib import Path

import orjson
from flask import Blueprint, Response, current_app, render_template

from server.cds_hooks.dialects import DIALECTS
from server.connecting.sheet import Sheet, make_sheet
from server.connecting.testing_steps import steps
from server.publishing import guideline_pages
from server.publishing.published import Published, publish, published
from server.runtime import Runtime

SECTIONS = (
    ("services", "Services"),
    ("prefetch", "Prefetch"),
    ("scopes", "Access to FHIR data"),
    ("app", "SMART app"),
    ("tokens", "Signed calls"),
    ("reasons", "Override reasons"),
    ("topics", "Card topics"),
    ("links", "Links"),
    ("orders", "Orders to map"),
    ("dialect", "Dialect"),
    ("test", "Testing the connection"),
    ("examples", "Example payloads"),
)
_STYLESHEET = Path(guideline_pages.__file__).parent / "static" / "guidelines.css"


def connect_blueprint(runtime: Runtime) -> Blueprint:
    """The page, as any EHR needs it; what is registered for one EHR is for that EHR only, and printed by `connect`."""
    blueprint = Blueprint("connect", __name__, template_folder="templates")
    blueprint.add_app_template_filter(json_text)
    blueprint.add_app_template_filter(parts)
    kept: list[Published] = []

    @blueprint.get("/connect")
    def connect() -> Response:
        if not kept:
            page = _render(make_sheet(runtime.config, runtime.basis))
            kept.append(published(page.encode(), "text/html; charset=utf-8"))
        response = publish(kept[0])
        response.headers["Content-Security-Policy"] = guideline_pages.CONTENT_SECURITY_POLICY
        return response

    return blueprint


def json_text(value: object) -> str:
    """JSON as people read it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def parts(text: str) -> list[str]:
    """A URL or a query in the parts between which a line may break; within them a hyphen would look like one of ours."""
    return re.split(r"(?=&|/cds-services)", text)


def as_html(sheet: Sheet) -> str:
    """The page as one file, with its stylesheet inside; needs the context of the application.

    Args:
        sheet: for whom.
    """
    with current_app.test_request_context("/connect", base_url=sheet.public_url):
        return _render(sheet, _STYLESHEET.read_text("utf-8"))


def _render(sheet: Sheet, stylesheet: str | None = None) -> str:
    return render_template(
        "connecting/connect.html",
        sheet=sheet,
        steps=steps(sheet),
        sections=SECTIONS,
        dialects=DIALECTS,
        version=sheet.knowledge_version,
        stylesheet=stylesheet,
    )
