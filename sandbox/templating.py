"""What the templates can say: filters, and what every page shows."""

import json

from flask import Flask
from jinja2 import ChainableUndefined
from markupsafe import Markup

from sandbox.desk import Answer, Desk, title_of
from sandbox.dialects import DIALECTS
from sandbox.fhir_parts import Json
from sandbox.markdown import render_folded
from sandbox.pages import switches
from sandbox.pages.forms import FORM_TOKEN, TOKEN_FIELD
from sandbox.results import Series
from sandbox.sparkline import Sparkline, sparkline
from sandbox.timing import Phase, phases
from sandbox.visible import visible

INDICATORS = {"info": "Information", "warning": "Warning", "critical": "Critical"}
PAGES = {"patients.show": "Patients", "switches.show": "Switches", "services.show": "Services", "checks.show": "SMART checks"}


def install_templating(app: Flask, desk: Desk) -> None:
    """Teach the templates of an application what they need."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.finalize = _only_what_shows
    app.jinja_env.undefined = ChainableUndefined  # a card may lack whatever CDS Hooks lets it lack
    app.jinja_env.filters.update(
        folded=render_folded,
        in_short=_request_in_short,
        order_name=title_of,
        phases=_phases_of,
        pretty=_pretty,
        sparkline=_sparkline_of,
    )
    app.jinja_env.globals.update(form_token=_form_token, indicators=INDICATORS, pages=PAGES, dialects=DIALECTS)

    @app.context_processor
    def switched() -> dict[str, object]:
        return {"switched": switches.in_words(desk.switches)}


def _only_what_shows(value: object) -> object:
    """What is printed, without characters that hide or reverse text (CARD-03); for whatever a template prints."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _form_token() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, FORM_TOKEN)


def _pretty(value: object) -> str:
    """JSON to read; half of a surrogate pair stays the escape that it was sent as."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _phases_of(answer: Answer) -> tuple[Phase, ...]:
    return phases(answer.milliseconds, answer.server_timing)


def _sparkline_of(series: Series) -> Sparkline:
    return sparkline(series.points, series.low, series.high)


def _request_in_short(request: Json) -> Json:
    """The request with each prefetch value in a few words; the chart beside it shows the rest."""
    if "prefetch" not in request:
        return request
    return request | {"prefetch": {key: _in_short(value) for key, value in request["prefetch"].items()}}


def _in_short(resource: Json | None) -> str | None:
    if resource is None:
        return None
    if resource.get("resourceType") != "Bundle":
        return f"{resource.get('resourceType')}/{resource.get('id')}"
    return f"Bundle with {len(resource.get('entry', []))} of {resource.get('total')} resources"
