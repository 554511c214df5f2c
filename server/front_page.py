"""`GET /`, for the person who opens the service in a browser; in demo mode it leads to the sandbox."""

from flask import Blueprint, make_response, redirect, render_template
from werkzeug.wrappers import Response

from server.basis import load_basis
from server.cds_hooks.services import SERVICES
from server.config import Config
from server.publishing.guideline_pages import CONTENT_SECURITY_POLICY


def front_page_blueprint(config: Config) -> Blueprint:
    """The front page, and in demo mode `/sandbox/`."""
    blueprint = Blueprint("front_page", __name__, template_folder="templates")

    if config.sandbox_url:
        sandbox_url = config.sandbox_url

        @blueprint.get("/")
        @blueprint.get("/sandbox")
        @blueprint.get("/sandbox/")
        def sandbox() -> Response:
            return redirect(sandbox_url)

    else:

        @blueprint.get("/")
        def front_page() -> Response:
            version = load_basis(config.site, config.terminology).knowledge.version
            response = make_response(render_template("front_page.html", services=SERVICES.values(), version=version))
            response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
            return response

    return blueprint
