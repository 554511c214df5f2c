"""The sandbox as one Flask application: the pages of an EHR, and its charts as FHIR beside them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from secrets import token_urlsafe

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.smart_apps import backend_app, backend_with_keys, myositis_app
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.charts import load_charts
from sandbox.desk import Desk
from sandbox.editor import Editor
from sandbox.ehr import ehr_blueprints
from sandbox.faults import Fault
from sandbox.fhir_api import Faults
from sandbox.hosts import refuse_other_hosts
from sandbox.keys import EhrKeys
from sandbox.pages.apps import apps_blueprint, launchable
from sandbox.pages.cards import cards_blueprint
from sandbox.pages.chart import chart_blueprint
from sandbox.pages.checks import checks_blueprint
from sandbox.pages.facts import facts_blueprint
from sandbox.pages.forms import EHR_URL
from sandbox.pages.orders import orders_blueprint
from sandbox.pages.patients import patients_blueprint
from sandbox.pages.services import services_blueprint
from sandbox.pages.switches import switches_blueprint
from sandbox.switches import faults_of, misbehaviour_of
from sandbox.templating import install_templating

MOST_FORM_BYTES = 64 * 1024

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not say where a form came from
    "Cache-Control": "no-store",
}


def _today() -> date:
    return datetime.now(UTC).date()


def create_sandbox(
    service_url: str,
    *,
    url: str = "http://127.0.0.1:8001",
    today: Callable[[], date] = _today,
    keys: EhrKeys | None = None,
    misbehaviour: Callable[[], Misbehaviour] = Misbehaviour,
    is_open: bool = False,
    backend_jwks: Json | None = None,
    more_faults: Faults = dict,
) -> Flask:
    """The whole EHR: its pages, and beside them its FHIR API, its authorization server and its keys.

    Args:
        service_url: base URL of the decision support service, `http://127.0.0.1:8000`.
        url: where this EHR is reached, without a trailing slash.
        today: the day that the stories are moved to.
        keys: of this EHR; new ones by default.
        misbehaviour: what the authorization server does wrong while no switch says otherwise.
        is_open: answer the FHIR API and the launch service without a token too, as the public CDS Hooks sandbox needs it.
        backend_jwks: public keys of a system that may export (client id `backend`), besides the service itself.
        more_faults: what the FHIR API and exports suffer from, besides what is switched on at the pages.
    """
    charts, keys = ChartStore(today), keys or EhrKeys()
    authorization = Authorization(charts, keys, url, misbehaviour=lambda: misbehaviour_of(desk.switches) or misbehaviour())
    for registered in (myositis_app, backend_app):
        authorization.register(registered(service_url.rstrip("/")))
    if backend_jwks is not None:
        authorization.register(backend_with_keys(backend_jwks))
    desk = Desk(url, [service_url], store=charts, keys=keys, authorization=authorization, today=today)
    app = pages(desk, charts, Editor(charts, today), url)
    app.register_blueprint(checks_blueprint(authorization))
    app.register_blueprint(apps_blueprint(authorization))
    app.jinja_env.globals["apps"] = lambda: launchable(authorization.apps)

    def faults() -> Mapping[str, Fault]:
        return {**more_faults(), **faults_of(desk.switches)}

    for blueprint in ehr_blueprints(authorization, is_open=is_open, faults=faults):
        app.register_blueprint(blueprint)
    return app


def pages(desk: Desk, charts: ChartStore, editor: Editor, url: str) -> Flask:
    """The pages of one EHR, without its FHIR API and its authorization."""
    stories = [chart.story for chart in load_charts().values()]
    app = Flask(__name__)
    app.config[EHR_URL] = url
    refuse_other_hosts(app, url)
    app.before_request(_read_small_forms_only)
    app.secret_key = token_urlsafe(32)  # signs what a browser keeps between two pages; a new one at each start
    app.config.update(SESSION_COOKIE_NAME="sandbox", SESSION_COOKIE_SAMESITE="Lax")
    install_templating(app, desk)
    for blueprint in (
        patients_blueprint(stories),
        chart_blueprint(desk, charts),
        cards_blueprint(desk),
        orders_blueprint(desk, charts),
        facts_blueprint(desk, charts, editor),
        switches_blueprint(desk),
        services_blueprint(desk.services),
    ):
        app.register_blueprint(blueprint)

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok", patients=len(stories))

    @app.errorhandler(HTTPException)
    def say_what_went_wrong(error: HTTPException) -> tuple[str, int]:
        return render_template("error.html", name=error.name, what=error.description), error.code or 500

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _read_small_forms_only() -> None:
    """What people type is short (IN-15); a chart that comes in over FHIR is not, and is no form."""
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        request.max_content_length = request.max_form_memory_size = MOST_FORM_BYTES
