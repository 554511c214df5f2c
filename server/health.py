"""`/health/live` and `/health/ready`, for whatever watches over the service."""

from threading import Event

from flask import Blueprint, Response

from server.build_information import git_commit, software_version
from server.errors import NotReadyError
from server.responses import json_response
from server.runtime import Runtime
from server.store.writing import WriteCheck


def health_blueprint(ready: Event, runtime: Runtime) -> Blueprint:
    """The health endpoints.

    Args:
        ready: set once the service has warmed up.
        runtime: what has to work.
    """
    blueprint = Blueprint("health", __name__)
    database = WriteCheck(runtime.database)

    @blueprint.get("/health/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @blueprint.get("/health/ready")
    def is_ready() -> Response:
        if not ready.is_set():
            raise NotReadyError("The service is starting. Ask again in a moment.")
        # Without its database nobody is let in or heard (threat DB-02). A client without keys only makes the service degraded, so
        # that the other clients are still served (JWT-06); asking for them again here also keeps them fresh.
        if not database.can_write():
            raise NotReadyError("The database cannot be written now. `myositis-cds db check` says more.")
        runtime.gate.warm()
        commit, known = git_commit(), runtime.basis.knowledge
        without_keys = runtime.gate.clients_without_keys
        return json_response(
            {"status": "ready", "version": software_version(), "knowledgeVersion": known.version, "knowledgeHash": known.digest}
            | ({"commit": commit} if commit else {})
            | ({"status": "degraded", "clientsWithoutKeys": without_keys} if without_keys else {})
        )

    return blueprint
