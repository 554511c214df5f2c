"""The pages of the sandbox: the synthetic patients, and each one's chart with the cards as an EHR would show them."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.charts import load_charts
from sandbox.fhir_api import fhir_blueprint
from sandbox.hooks import MINIMAL_INPUTS, HookCall, ServiceError, view_patient
from sandbox.markdown import render_markdown, web_address
from sandbox.summary import summarise

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
INDICATORS = {"info": "Information", "warning": "Warning", "critical": "Critical"}


def _today() -> date:
    return datetime.now(UTC).date()


def create_sandbox(service_url: str, *, today: Callable[[], date] = _today) -> Flask:
    """The sandbox as a Flask application.

    Args:
        service_url: base URL of the decision support service, `http://127.0.0.1:8000`.
        today: the day that the stories are moved to.
    """
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(markdown=render_markdown, web_address=web_address, pretty=_pretty)
    app.register_blueprint(fhir_blueprint(ChartStore(today)))
    service, charts = service_url.rstrip("/"), load_charts()

    @app.get("/")
    @app.get("/sandbox/")
    def patients() -> str:
        return render_template("patients.html", stories=[chart.story for chart in charts.values()])

    @app.get("/patients/<slug>")
    def patient(slug: str) -> str:
        chart = (charts.get(slug) or abort(404)).as_of(today())
        minimal = request.args.get("inputs") == "minimal"
        call, trouble = None, ""
        try:
            call = view_patient(service, chart, MINIMAL_INPUTS if minimal else None)
        except ServiceError as error:
            trouble = str(error)
        return render_template(
            "patient.html",
            story=chart.story,
            parts=summarise(chart),
            minimal=minimal,
            call=call,
            trouble=trouble,
            indicators=INDICATORS,
            request_in_short=call and _request_in_short(call),
        )

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok", patients=len(charts))

    @app.errorhandler(HTTPException)
    def say_what_went_wrong(error: HTTPException) -> tuple[str, int]:
        return render_template("error.html", name=error.name), error.code or 500

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        return response

    return app


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _request_in_short(call: HookCall) -> Json:
    """The request with each prefetch value in a few words; the chart beside it shows the rest."""
    return call.request | {"prefetch": {key: _in_short(value) for key, value in call.request["prefetch"].items()}}


def _in_short(resource: Json) -> str:
    if resource["resourceType"] != "Bundle":
        return f"{resource['resourceType']}/{resource['id']}"
    return f"Bundle with {len(resource.get('entry', []))} of {resource['total']} resources"
