"""GET over HTTP, bounded in time and size, on the shortest leash that `requests` can be kept on (threats OUT-02 to OUT-08)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests


class OutboundError(Exception):
    """No usable answer came.

    Args:
        reason: one word out of a closed set, fit for a log.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whatever its status.

    Args:
        status: HTTP status.
        headers: by lower-case name.
        body: decoded bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, *, headers: Mapping[str, str], seconds: float, most_bytes: int, ca_file: Path | None = None) -> Answer:
    """Fetch one URL.

    Args:
        url: absolute; the caller has checked that it may be called.
        headers: to send.
        seconds: until the last byte, whatever the other side does.
        most_bytes: a longer body is refused.
        ca_file: certificates to trust besides the system's.

    Raises:
        OutboundError: no answer in time, too long, redirected, or no connection.
    """
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.get(url, headers=dict(headers), timeout=seconds, allow_redirects=False, stream=True)
            body = response.raw.read(most_bytes + 1, decode_content=True)
        except requests.RequestException as error:
            raise OutboundError("no-connection") from error
    if len(body) > most_bytes:
        raise OutboundError("too-long")
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)
