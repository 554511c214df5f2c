"""`/health/live` and `/health/ready`, for whatever watches over the service."""

from threading import Event

from flask import Blueprint, Response

from server.basis import load_basis
from server.build_information import git_commit, software_version
from server.config import Config
from server.errors import NotReadyError
from server.responses import json_response


def health_blueprint(ready: Event, config: Config) -> Blueprint:
    """The health endpoints.

    Args:
        ready: set once the service has warmed up.
        config: the settings.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @blueprint.get("/health/ready")
    def is_ready() -> Response:
        if not ready.is_set():
            raise NotReadyError("The service is starting. Ask again in a moment.")
        commit, known = git_commit(), load_basis(config.site, config.terminology).knowledge
        return json_response(
            {"status": "ready", "version": software_version(), "knowledgeVersion": known.version}
            | ({"commit": commit} if commit else {})
        )

    return blueprint
