"""One question to a FHIR server: one GET, at most one retry, JSON or a reason."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from server.cds_hooks.operation_outcomes import is_not_supported
from server.cds_hooks.prefetch_state import PrefetchState
from server.ehr.budget import Budget
from server.ehr.permission import FhirServer
from server.ehr.retry_after import seconds_to_wait
from server.errors import RequestRefusedError
from server.intake import MOST_RESOURCES, MOST_VALUES
from server.json_input import parse_json
from server.outbound.http import Answer, OutboundError, get

_OK = 200
_UNAUTHORISED = 401
_DENIED = (_UNAUTHORISED, 403)
_NOT_FOUND = (404, 410)
_BUSY = (429, 503)
_SERVER_ERROR = 500
_BACK_OFF = 0.05
"""Seconds before the one retry after a broken connection."""


class FetchError(Exception):
    """There is no answer that can be used.

    Args:
        reason: one word out of a closed set: those of `OutboundError`; `denied`, `not-offered`, `not-found`, `busy`,
            `server-error`, `refused`, `not-json`, `not-fhir`; `out-of-budget`, `circuit-open`, `no-address`; and for pages
            `next-elsewhere`, `loop`, `too-many-pages`, `too-many-resources`.
        retry_after: seconds after which it may be tried again; None for not at all.
        is_unauthorised: whether the token is no longer good (401), rather than not good enough (403).
    """

    def __init__(self, reason: str, retry_after: float | None = None, *, is_unauthorised: bool = False) -> None:
        """Keep what is given."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.is_unauthorised = is_unauthorised

    @property
    def state(self) -> PrefetchState:
        """What it means for the query."""
        return {"denied": PrefetchState.DENIED, "not-offered": PrefetchState.NOT_OFFERED, "not-json": PrefetchState.NOT_FHIR}.get(
            self.reason, PrefetchState.FAILED
        )

    @property
    def is_trouble(self) -> bool:
        """Whether the server is in trouble, rather than of another opinion, or not trusted by us."""
        return self.reason in ("timeout", "no-connection", "unreadable", "busy", "server-error")


def ask(url: str, server: FhirServer, budget: Budget) -> Any:
    """The JSON at a URL.

    Asked once more after a broken connection, and after the time that a busy server asks for, where time is left.

    Args:
        url: below the base of the server.
        server: whom to ask, and with what token.
        budget: to draw on.

    Raises:
        FetchError: there is none.
    """
    try:
        return _ask_once(url, server, budget)
    except FetchError as error:
        if error.retry_after is None or not budget.wait(error.retry_after):
            raise
    return _ask_once(url, server, budget)


def _ask_once(url: str, server: FhirServer, budget: Budget) -> Any:
    headers = {"Accept": "application/fhir+json"}
    if server.token:
        headers["Authorization"] = f"Bearer {server.token}"
    if not budget.bytes:
        raise FetchError("out-of-budget")
    try:
        answer = get(url, headers=headers, seconds=budget.seconds, most_bytes=budget.bytes, ca_file=server.ca_file)
    except OutboundError as error:
        raise FetchError(error.reason, _BACK_OFF if error.reason == "no-connection" else None) from error
    if not budget.covers(len(answer.body), answer.body.count(b'"resourceType"')):
        raise FetchError("out-of-budget")
    if answer.status != _OK:
        raise _refusal(answer)
    return _parsed(answer.body)


def _refusal(answer: Answer) -> FetchError:
    if answer.status in _DENIED:
        return FetchError("denied", is_unauthorised=answer.status == _UNAUTHORISED)
    if answer.status in _NOT_FOUND:
        return FetchError("not-offered" if _says_not_supported(answer.body) else "not-found")
    if answer.status in _BUSY:
        return FetchError("busy", _retry_after(answer.headers))
    return FetchError("server-error" if answer.status >= _SERVER_ERROR else "refused")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    return seconds_to_wait(headers.get("retry-after"), datetime.now(UTC))


def _says_not_supported(body: bytes) -> bool:
    """Whether it is the type that is not found: "resource type not supported" is a 404 too (FHIR R4, http.html#search)."""
    try:
        return is_not_supported(_parsed(body))
    except FetchError:
        return False


def _parsed(body: bytes) -> Any:
    if body.count(b",") > MOST_VALUES or body.count(b'"resourceType"') > MOST_RESOURCES:
        raise FetchError("too-long")
    try:
        return parse_json(body)
    except RequestRefusedError as error:
        raise FetchError("not-json") from error
