"""`/metrics`: figures of operation, for whoever has the token of the settings; not public (threat LOG-08)."""

import hmac
import os
import time

from flask import Blueprint, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from server.errors import UnauthorisedError
from server.observing.counting import know_recommendations
from server.observing.figures import exposition
from server.observing.machine import look
from server.observing.processes import FOLDER
from server.observing.token import metrics_token
from server.runtime import Runtime

_SECONDS = 5.0


def metrics_blueprint(runtime: Runtime) -> Blueprint:
    """The page of figures.

    Args:
        runtime: settings, gate and knowledge.

    Raises:
        ConfigurationError: the file of the token cannot be read, or what is in it is too short.
    """
    blueprint = Blueprint("metrics", __name__)
    file = runtime.config.metrics_token_file
    token = metrics_token(file) if file else None
    known = runtime.basis.knowledge
    know_recommendations([rule.id for rule in known.rules] + [rule.id for rule in known.safety])
    looked_at = -_SECONDS

    @blueprint.get("/metrics")
    def metrics() -> Response:
        _let_in(token, runtime)
        look(current_app, runtime)
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    def look_now_and_then(response: Response) -> Response:
        """Of several processes only one is asked; the others' figures of themselves must not be old."""
        nonlocal looked_at
        if time.monotonic() >= looked_at + _SECONDS:
            looked_at = time.monotonic()
            look(current_app, runtime)
        return response

    if FOLDER in os.environ:
        blueprint.after_app_request(look_now_and_then)
    return blueprint


def _let_in(token: bytes | None, runtime: Runtime) -> None:
    """Raises 401 for another token than the right one, 404 where there is no token and the service is not open to the caller."""
    if token is not None:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), b"Bearer " + token):
            raise UnauthorisedError("metrics")
        return
    if runtime.clients and not runtime.gate.open_beside_clients:
        raise NotFound
    try:
        runtime.gate.admit(request, [])
    except UnauthorisedError:
        raise NotFound from None
