"""`/health/live` and `/health/ready`, for whatever watches over the service."""

from flask import Blueprint, Response

from server.build_information import git_commit, software_version
from server.condition import HINDRANCES, Condition
from server.errors import NotReadyError
from server.responses import json_response
from server.runtime import Runtime


def health_blueprint(condition: Condition, runtime: Runtime) -> Blueprint:
    """The health endpoints.

    Args:
        condition: how the service is.
        runtime: what has to work.
    """
    blueprint = Blueprint("health", __name__)

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
        without_keys, in_shadow = runtime.gate.clients_without_keys, runtime.clients_in_shadow
        return json_response(
            {"status": "ready", "version": software_version(), "knowledgeVersion": known.version, "knowledgeHash": known.digest}
            | ({"commit": commit} if commit else {})
            | ({"status": "degraded", "reasons": lacking} if lacking else {})
            | ({"clientsWithoutKeys": without_keys} if without_keys else {})
            # Not a reason: it is somebody's decision, and must be seen if it was none.
            | ({"clientsInShadow": in_shadow} if in_shadow else {})
        )

    return blueprint
