"""The Flask application, put together from its parts."""

from threading import Event

from flask import Flask, Response

from server.assessing.endpoint import assess_blueprint
from server.cds_hooks.calls import hooks_blueprint
from server.cds_hooks.cors import install_cors
from server.cds_hooks.discovery import discovery_blueprint
from server.condition import CONDITION, Condition
from server.config import Config
from server.connecting.page import connect_blueprint
from server.contract.endpoint import contract_blueprint
from server.error_answers import install_error_handlers
from server.feedback.endpoint import feedback_blueprint
from server.front_page import front_page_blueprint
from server.health import health_blueprint
from server.observing.page import metrics_blueprint
from server.observing.traces import TRACES, open_traces
from server.publishing.fhir_endpoint import fhir_blueprint
from server.publishing.guideline_pages import guidelines_blueprint
from server.request_log import install_request_log
from server.runtime import Runtime, open_runtime
from server.smart.endpoint import smart_blueprint
from server.trust.rate_limit import install_rate_limit

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(config: Config, *, runtime: Runtime | None = None, ready: Event | None = None) -> Flask:
    """Make the application.

    Args:
        config: the settings.
        runtime: the parts that requests share; made from the settings by default.
        ready: set by whoever warms the service up (`warm_up.warm_up`); until then `/health/ready` answers 503.
    """
    runtime = runtime or open_runtime(config)
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would lose the body of a call, and its answer would be HTML
    traces = app.extensions[TRACES] = open_traces(config.trace_endpoint)
    install_request_log(app, traces.trace)
    install_error_handlers(app)
    install_cors(app, runtime)
    app.register_blueprint(discovery_blueprint(runtime))
    app.register_blueprint(hooks_blueprint(runtime))
    app.register_blueprint(feedback_blueprint(runtime))
    app.register_blueprint(assess_blueprint(runtime))
    app.register_blueprint(contract_blueprint(runtime))
    app.extensions[CONDITION] = condition = Condition(ready or Event(), runtime)
    app.register_blueprint(health_blueprint(condition, runtime))
    app.register_blueprint(metrics_blueprint(runtime))
    app.register_blueprint(front_page_blueprint(config))
    app.register_blueprint(fhir_blueprint(config))
    app.register_blueprint(guidelines_blueprint(config))
    app.register_blueprint(connect_blueprint(runtime))
    app.register_blueprint(smart_blueprint(runtime))

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)  # the published knowledge may be kept, and its pages have a stylesheet
        return response

    install_rate_limit(app, runtime.gate.rates)  # last: what it puts in place of an answer passes all that is done with answers
    return app
