"""`/health/live` and `/health/ready`, for whatever watches over the service."""

from threading import Event

from flask import Blueprint, Response

from server.build_information import git_commit, software_version
from server.condition import HINDRANCES, Condition
from server.errors import NotReadyError
from server.responses import json_response
from server.runtime import Runtime


def health_blueprint(ready: Event, runtime: Runtime) -> Blueprint:
    """The health endpoints.

    Args:
        ready: set once the service has warmed up.
        runtime: what has to work.
    """
    blueprint = Blueprint("health", __name__)
    condition = Condition(ready, runtime)

    @blueprint.get("/health/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @blueprint.get("/health/ready")
    def is_ready() -> Response:
        # A client without keys makes the service degraded and not unready, so that the other clients are still served (JWT-06);
        # asking for the keys again here also keeps them fresh.
        runtime.gate.warm()
        hindrance, lacking = condition.look()
        if hindrance:
            raise NotReadyError(HINDRANCES[hindrance])
        commit, known = git_commit(), runtime.basis.knowledge
        without_keys = runtime.gate.clients_without_keys
        return json_response(
            {"status": "ready", "version": software_version(), "knowledgeVersion": known.version, "knowledgeHash": known.digest}
            | ({"commit": commit} if commit else {})
            | ({"status": "degraded", "reasons": lacking} if lacking else {})
            | ({"clientsWithoutKeys": without_keys} if without_keys else {})
        )

    return blueprint
