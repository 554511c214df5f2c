"""The public keys of one client, kept fresh (conformance J-4, J-19, J-21; threats JWT-05 to JWT-07)."""

import json
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from threading import Lock, Thread

from server.errors import UnauthorisedError
from server.outbound.http import Answer, OutboundError, get
from server.trust.clients import Client
from server.trust.jwk_set import JwkSet, JwkSetError, VerificationKey, read_jwk_set
from server.trust.reasons import Reason

COOL_DOWN = 30.0
"""Seconds between two fetches, however many unknown keys are asked for."""

STALE = 24 * 3600.0
"""Seconds that keys are still used for after their last fetch, while the other side is down."""

_FRESH = (300.0, 3600.0)  # seconds; what Cache-Control asks for is kept within
_SECONDS = 2.0
_MOST_BYTES = 256 * 1024
_OK = 200
_NEVER = -math.inf

_log = logging.getLogger("myositis_cds.security")


def fetch_jwk_set(client: Client, fetch: Callable[..., Answer] = get) -> tuple[JwkSet, float]:
    """Fetch the JWK Set from the URL that the client is registered with; no other is ever asked.

    Args:
        client: with a `jwks_url`.
        fetch: `server.outbound.http.get`.

    Returns:
        The set, and for how many seconds it is fresh.

    Raises:
        OutboundError: no answer.
        JwkSetError: an answer that is no JWK Set, or one without a usable key.
    """
    accept = {"Accept": "application/jwk-set+json, application/json"}
    answer = fetch(client.jwks_url, headers=accept, seconds=_SECONDS, most_bytes=_MOST_BYTES, ca_file=client.ca_file)
    if answer.status != _OK:
        raise JwkSetError("redirect" if 300 <= answer.status < 400 else "status")
    try:
        found = read_jwk_set(json.loads(answer.body))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, JwkSetError) else JwkSetError("not-json") from None
    if not found.keys:
        raise JwkSetError("no-usable-key")
    return found, _freshness(answer.headers)


class ClientKeys:
    """Finds the key that a token names.

    A key that is known is found without waiting, even while its set is being fetched again or its server is down. A key that is
    not known is worth one fetch, and all who ask meanwhile wait for that one.
    """

    def __init__(
        self,
        client: Client,
        *,
        fetch: Callable[..., Answer] = get,
        clock: Callable[[], float] = time.monotonic,
        in_background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        """Keep what is given; nothing is fetched yet.

        Args:
            client: with a `jwks_url`, or with its keys.
            fetch: `server.outbound.http.get`.
            clock: seconds that never go back.
            in_background: runs a function without being waited for; by default in a thread.
        """
        self._client = client
        self._fetch = fetch
        self._clock = clock
        self._in_background = in_background or _in_thread
        self._flight = Lock()  # held by whoever fetches
        self._set = JwkSet(()) if client.jwks is None else read_jwk_set(client.jwks)
        self._tried_at = self._fetched_at = self._fresh_until = _NEVER

    def find(self, kid: str, algorithm: str) -> VerificationKey:
        """The key for a signature.

        Args:
            kid: as the token names it.
            algorithm: one that the client is registered with.

        Raises:
            UnauthorisedError: there is no such key, or there are two, or it is for another algorithm.
        """
        key = self._current().find(kid, algorithm)
        if key is None:
            self.refresh()
            key = self._current().find(kid, algorithm)
        elif self._clock() >= self._fresh_until and self._may_fetch() and not self._flight.locked():
            self._in_background(self.refresh)
        if key is None:
            raise UnauthorisedError(Reason.UNKNOWN_KEY)
        return key

    @property
    def is_empty(self) -> bool:
        """Whether no token of this client can be verified now."""
        return not self._current().keys

    def warm(self) -> None:
        """Fetch in the background, so that the first caller does not wait."""
        if self._may_fetch():
            self._in_background(self.refresh)

    def refresh(self) -> None:
        """Fetch the set, unless that was tried a moment ago; what is there stays where the fetch fails."""
        with self._flight:  # who comes while another fetches waits here, and then finds that it was tried a moment ago
            if not self._may_fetch():
                return
            self._tried_at = self._clock()
            try:
                found, fresh = fetch_jwk_set(self._client, self._fetch)
            except (OutboundError, JwkSetError) as error:
                _log.warning("event=jwk_set_not_fetched client=%s reason=%s", self._client.name, error.reason)
                return
            self._set = found
            self._fetched_at = self._clock()
            self._fresh_until = self._fetched_at + fresh
        _report(self._client, found)

    def _may_fetch(self) -> bool:
        return self._client.jwks is None and self._clock() >= self._tried_at + COOL_DOWN

    def _current(self) -> JwkSet:
        return self._set if self._client.jwks is not None or self._clock() < self._fetched_at + STALE else JwkSet(())


def _report(client: Client, found: JwkSet) -> None:
    _log.info("event=jwk_set_fetched client=%s keys=%d unusable=%d", client.name, len(found.keys), len(found.unusable))
    for position, reason in found.unusable:
        _log.warning("event=jwk_not_usable client=%s position=%d reason=%s", client.name, position, reason)
    if found.reveals_private:
        _log.warning("event=jwk_set_reveals_private_key client=%s entries=%d", client.name, len(found.reveals_private))


def _freshness(headers: Mapping[str, str]) -> float:
    """Seconds, from `Cache-Control: max-age` (RFC 9111 section 5.2.2.1), within our bounds."""
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})", headers.get("cache-control", ""), re.IGNORECASE)
    shortest, longest = _FRESH
    return min(max(float(found[1]), shortest), longest) if found else shortest


def _in_thread(work: Callable[[], None]) -> None:
    Thread(target=work, name="jwk-set", daemon=True).start()
