"""The public keys of one client, kept fresh (conformance J-4, J-19, J-21; threats JWT-05 to JWT-07)."""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event, Lock, Semaphore, Thread

from server.errors import UnauthorisedError
from server.observing.logs import logger
from server.outbound.http import Answer, OutboundError, get
from server.trust.clients import Client
from server.trust.jwk_set import JwkSet, JwkSetError, VerificationKey, read_jwk_set
from server.trust.reasons import Reason

COOL_DOWN = 30.0
"""Seconds from the end of one fetch to the next, however many unknown keys are asked for."""

GRACE = 60.0
"""Seconds that keys are used for after they were fresh, or after a fetch has failed, without waiting for the next fetch."""

STALE = 24 * 3600.0
"""Seconds that keys are used for after they were last fetched, where fetching them again has failed."""

MOST_WAITING = 4
"""So many threads at most wait for a key that was never seen: whoever makes tokens up must not hold them all (JWT-07)."""

SECONDS = 2.0
"""For one fetch; nobody waits for longer, even where looking up the name of the server cannot be interrupted."""

_FRESH = (300.0, 3600.0)  # seconds; what Cache-Control asks for is kept within
_MOST_BYTES = 256 * 1024
_OK = 200
_NEVER = -math.inf

_log = logger("security")


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
    found, fresh = _fetch_any(client, fetch)
    if not found.keys:
        raise JwkSetError("no-usable-key")
    return found, fresh


def _fetch_any(client: Client, fetch: Callable[..., Answer]) -> tuple[JwkSet, float]:
    """As `fetch_jwk_set`, but the set may be empty: that is how every key is taken back."""
    accept = {"Accept": "application/jwk-set+json, application/json"}
    answer = fetch(client.jwks_url, headers=accept, seconds=SECONDS, most_bytes=_MOST_BYTES, ca_file=client.ca_file)
    if answer.status != _OK:
        raise JwkSetError("status")
    try:
        return read_jwk_set(json.loads(answer.body)), _freshness(answer.headers)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, JwkSetError) else JwkSetError("not-json") from None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the keys; moments are those of the clock of `ClientKeys`.

    Args:
        keys: as they were last fetched.
        fetched_at, fresh_until: when that was, and how long they are good without asking again.
        failed_at: when fetching them last failed.
    """

    keys: JwkSet
    fetched_at: float = _NEVER
    fresh_until: float = _NEVER
    failed_at: float = _NEVER

    @property
    def has_failed(self) -> bool:
        """Whether they could not be fetched again."""
        return self.failed_at > self.fetched_at


@dataclass(frozen=True, slots=True)
class _Flight:
    """One fetch.

    Args:
        until: so long its end is waited for, by the clock of `ClientKeys`.
        end: set when it has ended, well or badly.
        late: set when it was waited for in vain.
    """

    until: float = _NEVER
    end: Event = field(default_factory=Event)
    late: Event = field(default_factory=Event)


class ClientKeys:
    """Finds the key that a token names.

    A known key is found without waiting while its set is fresh, and for a day while its server is down. After a quiet time the
    set is fetched first, so that a key that was taken back meanwhile opens nothing. A key that is not known is worth one fetch.
    There is one fetch at a time, in a thread of its own.
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
        self._known = _Known(JwkSet(())) if client.jwks is None else _Known(read_jwk_set(client.jwks), fresh_until=math.inf)
        self._tried_at = _NEVER
        self._flight = _Flight()
        self._flight.end.set()
        self._beginning = Lock()
        self._places = Semaphore(MOST_WAITING)

    def find(self, kid: str, algorithm: str) -> VerificationKey:
        """The key for a signature.

        Args:
            kid: as the token names it.
            algorithm: one that the client is registered with.

        Raises:
            UnauthorisedError: there is no such key, or there are two, or it is for another algorithm.
        """
        self.warm()
        key = self._usable().find(kid, algorithm)
        if key is None:
            self._wait_for_fetch(kid)
            key = self._usable().find(kid, algorithm)
        if key is None:
            raise UnauthorisedError(Reason.UNKNOWN_KEY)
        return key

    @property
    def is_empty(self) -> bool:
        """Whether no token of this client can be verified, as far as the last fetch tells."""
        known = self._known
        return not known.keys.keys or (known.has_failed and self._is_stale(known))

    @property
    def age(self) -> float:
        """Seconds since the keys were fetched; 0 for keys that were given, infinite where none ever came."""
        return 0.0 if self._client.jwks is not None else self._clock() - self._known.fetched_at

    def warm(self) -> None:
        """See that keys that are not fresh are being fetched; nobody waits for it."""
        if self._clock() >= self._known.fresh_until:
            self._begin_fetch()

    def wait(self) -> None:
        """Wait until the fetch under way has ended or is late."""
        self._wait(self._flight)

    def _usable(self) -> JwkSet:
        """The keys that a token may be verified with now."""
        known, flight, now = self._known, self._flight, self._clock()
        is_in_trouble = now < known.failed_at + GRACE or (flight.late.is_set() and not flight.end.is_set())
        is_good = now < known.fresh_until + GRACE or (is_in_trouble and not self._is_stale(known))
        return known.keys if is_good else JwkSet(())

    def _is_stale(self, known: _Known) -> bool:
        return self._clock() >= known.fetched_at + STALE

    def _wait_for_fetch(self, kid: str) -> None:
        """Begin a fetch, unless one was just tried, and wait until it has ended or is late."""
        flight, known = self._begin_fetch(), self._known
        if not known.has_failed and any(key.kid == kid for key in known.keys.keys):
            self._wait(flight)  # ours, after a quiet time: no place is needed, since this ends with the fetch, however that ends
        elif self._places.acquire(blocking=False):
            try:
                self._wait(flight)
            finally:
                self._places.release()

    def _wait(self, flight: _Flight) -> None:
        if not flight.end.wait(max(0.0, flight.until - self._clock())):
            flight.late.set()

    def _begin_fetch(self) -> _Flight:
        """The fetch under way: a new one, unless there is one or the last was a moment ago; else that last one."""
        with self._beginning:
            if self._client.jwks is None and self._flight.end.is_set() and self._clock() >= self._tried_at + COOL_DOWN:
                flight = _Flight(until=self._clock() + SECONDS)
                self._in_background(partial(self._fly, flight))
                self._flight = flight
            return self._flight

    def _fly(self, flight: _Flight) -> None:
        """Fetch the set; what is known stays where that fails."""
        try:
            found, fresh = _fetch_any(self._client, self._fetch)
        except (OutboundError, JwkSetError) as error:
            self._known = replace(self._known, failed_at=self._clock())
            _log.warning("jwk_set_not_fetched", client=self._client.name, reason=error.reason)
        else:
            now = self._clock()
            self._known = _Known(found, fetched_at=now, fresh_until=now + fresh)
            _report(self._client, found)
        finally:
            self._tried_at = self._clock()
            flight.end.set()


def _report(client: Client, found: JwkSet) -> None:
    _log.info("jwk_set_fetched", client=client.name, keys=len(found.keys), unusable=len(found.unusable))
    if not found.keys:
        _log.warning("jwk_set_without_usable_key", client=client.name)
    for position, reason in found.unusable:
        _log.warning("jwk_not_usable", client=client.name, position=position, reason=reason)
    if found.reveals_private:
        _log.warning("jwk_set_reveals_private_key", client=client.name, entries=len(found.reveals_private))


def _freshness(headers: Mapping[str, str]) -> float:
    """Seconds, from `Cache-Control: max-age` (RFC 9111 section 5.2.2.1), within our bounds."""
    found = re.search(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})", headers.get("cache-control", ""), re.IGNORECASE)
    shortest, longest = _FRESH
    return min(max(float(found[1]), shortest), longest) if found else shortest


def _in_thread(work: Callable[[], None]) -> None:
    Thread(target=work, name="jwk-set", daemon=True).start()
