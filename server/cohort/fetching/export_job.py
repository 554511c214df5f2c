"""An export at the EHR: begun, asked about until it is complete, and deleted (Bulk Data Access 2.0, "Request Flow")."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from server.cohort.fetching.addresses import on_origins, origin_in_words
from server.cohort.fetching.connection import Connection
from server.cohort.fetching.errors import FetchError, JobFailedError, JobGoneError
from server.cohort.fetching.manifest import Manifest, read_manifest
from server.cohort.fetching.saying import issue_codes, json_of, progress_in_words, status_of, why
from server.ehr.retry_after import seconds_to_wait
from server.outbound.http import Answer, OutboundError

_ACCEPTED, _OK = 202, 200
_BUSY = (429, 503)
_PASSING = (*_BUSY, 502, 504)
_GONE = (404, 410)
_SERVER_ERROR = 500
_MOST_TROUBLE = 8
"""So many answers in a row may be none before we give up; the job at the EHR goes on without us."""

_SHORTEST_PAUSE, _LONGEST_OWN_PAUSE, _LONGEST_PAUSE = 0.5, 60.0, 3600.0
"""Seconds. Where an EHR does not say, we wait twice as long each time, up to the second; what it says counts up to the last."""

_FHIR_JSON = "application/fhir+json"
_NDJSON = "application/fhir+ndjson"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait for an export.

    Args:
        seconds: all in all.
        sleep: waits.
        clock: seconds that never go back.
        now: the time, for dates in `Retry-After`.
    """

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def pause(self, answer: Answer | None, number: int, deadline: float) -> None:
        """Wait as long as the EHR asks for, or else longer each time.

        Args:
            answer: that may say for how long.
            number: of the pause, from 0.
            deadline: by the clock.

        Raises:
            FetchError: the time is over.
        """
        asked = seconds_to_wait(answer.headers.get("retry-after"), self.now()) if answer else None
        seconds = min(_LONGEST_OWN_PAUSE, _SHORTEST_PAUSE * 2 ** min(number, 20)) if asked is None else asked
        seconds = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, seconds))
        if self.clock() + seconds > deadline:
            raise FetchError(
                f"the EHR is not done within {self.seconds / 60:g} minutes (--wait). It goes on without us: give the same "
                "command later."
            )
        self.sleep(seconds)


def kick_off(connection: Connection, group: str | None, types: Collection[str], since: str | None, waiting: Waiting) -> str:
    """Begin an export.

    Args:
        connection: to the EHR.
        group: id of a Group; None for all patients.
        types: resource types.
        since: only what was changed later; None for everything.
        waiting: how long a busy EHR is waited for.

    Returns:
        The URL that tells the status.

    Raises:
        FetchError: the EHR does not begin one.
    """
    path = f"Group/{group}/$export" if group else "Patient/$export"
    query = f"_outputFormat={quote(_NDJSON, safe='')}&_type={','.join(types)}" + (
        f"&_since={quote(since, safe='')}" if since else ""
    )
    url, deadline = f"{connection.base}/{path}?{query}", waiting.clock() + waiting.seconds
    number = 0
    while True:
        try:
            answer = connection.get(url, {"Accept": _FHIR_JSON, "Prefer": "respond-async"})
        except OutboundError as error:
            raise FetchError(f"{connection.base}/{path}: no export was begun: {why(error)}.") from error
        if answer.status not in _BUSY:
            return _status_url(connection, answer, f"{connection.base}/{path}")
        waiting.pause(answer, number, deadline)
        number += 1


def _status_url(connection: Connection, answer: Answer, place: str) -> str:
    if answer.status != _ACCEPTED:
        raise FetchError(f"{place}: the EHR begins no export ({status_of(answer)}). {_WHAT_TO_DO.get(answer.status, _IN_DOUBT)}")
    said = answer.headers.get("content-location", "")
    url = on_origins(said, place, connection.origins) if said else None
    if url is None:
        where = f"says that it is at {origin_in_words(said, place)}" if said else "does not say where (Content-Location)"
        raise FetchError(f"{place}: an export was begun, but the EHR {where}, so it is not asked about and no token left.")
    return url


_IN_DOUBT = "Ask the team that looks after the EHR which exports it offers."
_WHAT_TO_DO = {
    400: "It does not take what was asked for: choose types with --type, leave --since out, or ask its team what it exports.",
    403: "It does not let this client export that: ask its team which scopes and groups the client is registered for.",
    404: "There is no such export: is FHIR_BASE right, does the EHR offer Bulk Data, and is --group an id that it has?",
}


def wait_for_manifest(connection: Connection, status_url: str, waiting: Waiting, tell: Callable[[str], None]) -> Manifest:
    """Ask for the status until the export is complete.

    Args:
        connection: to the EHR.
        status_url: as `kick_off` gave it.
        waiting: how long.
        tell: is told how far it is.

    Raises:
        JobGoneError: the EHR has the export no more.
        JobFailedError: it could not be made.
        FetchError: the EHR does not answer, or the time is over.
    """
    deadline, number, trouble, told = waiting.clock() + waiting.seconds, 0, 0, ""
    while True:
        answer, reason = _ask(connection, status_url)
        match _judge(answer):
            case "complete" if answer:
                return read_manifest(json_of(answer), status_url, connection.origins)
            case "in progress" if answer:
                trouble = 0
                if (progress := progress_in_words(answer.headers.get("x-progress", ""))) not in ("", told):
                    tell(f"the EHR is working on it: {progress}")
                    told = progress
            case _:
                trouble += "retry-after" not in (answer.headers if answer else ())  # who says when to come back means it
                if trouble >= _MOST_TROUBLE:
                    raise FetchError(f"{status_url}: {reason}, {trouble} times in a row. Give the same command later to go on.")
        waiting.pause(answer, number, deadline)
        number += 1


def _ask(connection: Connection, status_url: str) -> tuple[Answer | None, str]:
    """An answer, or why there is none or none that can be used."""
    try:
        answer = connection.get(status_url, {"Accept": "application/json"})
    except OutboundError as error:
        if error.reason in ("untrusted", "redirect", "too-long"):
            raise FetchError(f"{status_url}: {why(error)}.") from error
        return None, why(error)
    if answer.status in _GONE:
        raise JobGoneError(f"the EHR no longer has the export ({status_of(answer)})")
    return answer, status_of(answer)


def _judge(answer: Answer | None) -> Literal["complete", "in progress", "trouble"]:
    if answer is None or answer.status in _PASSING or "transient" in issue_codes(answer):
        return "trouble"
    if answer.status == _OK:
        return "complete"
    if answer.status == _ACCEPTED:
        return "in progress"
    if answer.status >= _SERVER_ERROR:
        raise JobFailedError(f"the EHR could not make the export ({status_of(answer)})")
    raise FetchError(
        f"the EHR does not tell how far the export is ({status_of(answer)}). {_WHAT_TO_DO.get(answer.status, _IN_DOUBT)}"
    )


def delete(connection: Connection, status_url: str) -> str | None:
    """Tell the EHR that its files can go.

    Returns:
        Why it did not take that in; None if it did.
    """
    try:
        answer = connection.delete(status_url, {"Accept": _FHIR_JSON})
    except OutboundError as error:
        return why(error)
    except FetchError as error:
        return str(error)
    is_gone = answer.status in (_OK, _ACCEPTED, 204, *_GONE)
    return None if is_gone else f"HTTP {answer.status}"
