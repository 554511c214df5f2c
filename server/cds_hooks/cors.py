"""CORS: pages of named web origins may call from a browser (conformance O-1 to O-4, threat CORS-01; https://fetch.spec.whatwg.org/).

Without named origins nothing is installed. An origin is compared as a whole, and is never answered with `*`. No credentials in
the sense of CORS: there are no cookies, and a token in `Authorization` needs none. `Timing-Allow-Origin` is not sent: how long a
phase took is for those who run the service.
"""

from collections.abc import Iterable

from flask import Flask, Response, request

from server.config import ConfigurationError
from server.runtime import Runtime
from server.urls import is_origin

_PATHS = "/cds-services"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


def install_cors(app: Flask, runtime: Runtime) -> None:
    """Let the pages of the configured origins call discovery, the services and feedback.

    Args:
        app: the application.
        runtime: names the origins: those of the settings and those of every client.

    Raises:
        ConfigurationError: an origin is not written as browsers write it.
    """
    origins = _origins(runtime)
    if not origins:
        return

    def is_ours() -> bool:
        return request.path == _PATHS or request.path.startswith(f"{_PATHS}/")

    @app.before_request
    def preflight() -> Response | None:
        """Answered before anything else is done: without a token, and whether the service exists or not (O-2)."""
        if not is_ours() or request.method != "OPTIONS" or request.headers.get("Origin") not in origins:
            return None
        return Response(status=204, headers=_PREFLIGHT)

    @app.after_request
    def allow(response: Response) -> Response:
        if is_ours():
            response.vary.add("Origin")
            if (origin := request.headers.get("Origin")) in origins:
                response.headers["Access-Control-Allow-Origin"] = origin
        return response


def _origins(runtime: Runtime) -> frozenset[str]:
    _check("origins (MYOSITIS_CDS_ORIGINS)", runtime.config.origins)
    for client in runtime.clients:
        _check(f"client {client.name}, origins", client.origins)
    return frozenset(runtime.config.origins).union(*(client.origins for client in runtime.clients))


def _check(place: str, origins: Iterable[str]) -> None:
    for number, origin in enumerate(origins, 1):
        if not is_origin(origin):
            raise ConfigurationError(
                f"{place}: number {number} is not an origin as browsers send it. Write scheme, host and any unusual port in "
                "lower case and nothing after them, such as https://ehr.example; http is for this machine only; * and "
                "null are not possible."
            )
