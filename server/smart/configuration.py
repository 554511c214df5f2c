"""What an EHR says about signing in: its SMART configuration, fetched from the registered FHIR server (A-3; SM-01, SM-03)."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urljoin, urlsplit

from server.outbound.http import Answer, OutboundError, get
from server.smart.stops import NO_CONFIGURATION, StopError
from server.urls import is_loopback_url, is_secure_url, may_be_this_machine

WELL_KNOWN = "/.well-known/smart-configuration"
OPENID = "/.well-known/openid-configuration"
FRESH_SECONDS = 3600.0
STALE_SECONDS = 12 * 3600.0
"""So long a configuration is used that cannot be read again; longer than any session lasts."""
FAILED_SECONDS = 5.0
"""So long nobody asks again after a failure."""
SECONDS = 3.0
MOST_BYTES = 256 * 1024
_OK = 200

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What of it we use; every URL is absolute, and https; of this machine only where the EHR is.

    Args:
        base: FHIR base URL, as registered.
        authorization_endpoint, token_endpoint: where the user, and we, go.
        revocation_endpoint: where a token is given back; empty where there is none.
        issuer: of id tokens; empty where it does not say.
        jwks_uri: keys of id tokens; empty where it does not say.
        names_issuer: whether every authorization response carries `iss` (RFC 9207).
        capabilities: SMART capabilities.
        scopes: that are supported, as far as it says.
        signing_algorithms: of client assertions, as far as it says.
    """

    base: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str = ""
    issuer: str = ""
    jwks_uri: str = ""
    names_issuer: bool = False
    capabilities: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    signing_algorithms: tuple[str, ...] = ()


def read_configuration(base: str, document: Any) -> SmartConfiguration:
    """Read a SMART configuration.

    Args:
        base: FHIR base URL that it is of; relative URLs are below it.
        document: parsed JSON.

    Raises:
        StopError: something is missing that a safe launch needs.
    """
    if not isinstance(document, dict):
        raise StopError(NO_CONFIGURATION, "not-json")
    if "S256" not in texts(document.get("code_challenge_methods_supported")):
        raise StopError(NO_CONFIGURATION, "no-s256")
    return SmartConfiguration(
        base=base,
        authorization_endpoint=_needed(base, document, "authorization_endpoint"),
        token_endpoint=_needed(base, document, "token_endpoint"),
        revocation_endpoint=endpoint(base, document, "revocation_endpoint"),
        issuer=str(document.get("issuer") or ""),
        jwks_uri=endpoint(base, document, "jwks_uri"),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        capabilities=frozenset(texts(document.get("capabilities"))),
        scopes=frozenset(texts(document.get("scopes_supported"))),
        signing_algorithms=texts(document.get("token_endpoint_auth_signing_alg_values_supported")),
    )


@dataclass(slots=True, eq=False)
class _Kept:
    """What is known of one EHR; its lock is held by the one thread that asks."""

    lock: Lock = field(default_factory=Lock)
    configuration: SmartConfiguration | None = None
    read_at: float = -math.inf
    failed_at: float = -math.inf
    reason: str = ""


class Configurations:
    """The configurations of all registered EHRs: fetched once an hour, by one thread while the others wait for it."""

    def __init__(self, fetch: Callable[..., Answer] = get, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched yet.

        Args:
            fetch: `server.outbound.http.get`.
            clock: seconds that never go back.
        """
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def of(self, base: str, ca_file: Path | None) -> SmartConfiguration:
        """The configuration of one FHIR server.

        Args:
            base: as registered.
            ca_file: certificates to trust besides the system's.

        Raises:
            StopError: there is none that can be used.
        """
        with self._lock:
            kept = self._kept.setdefault(base, _Kept())
        with kept.lock:
            if self._clock() >= max(kept.read_at + FRESH_SECONDS, kept.failed_at + FAILED_SECONDS):
                self._read(kept, base, ca_file)
            if kept.configuration and self._clock() < kept.read_at + STALE_SECONDS:
                return kept.configuration
            raise StopError(NO_CONFIGURATION, kept.reason)

    def _read(self, kept: _Kept, base: str, ca_file: Path | None) -> None:
        """Read a configuration again; the one before stays if none comes, and goes if it is no longer a safe one."""
        try:
            document = fetch_json(base + WELL_KNOWN, ca_file, self._fetch)
        except StopError as error:
            kept.failed_at, kept.reason = self._clock(), error.reason
            return
        try:
            kept.configuration, kept.read_at = read_configuration(base, document), self._clock()
        except StopError as error:
            kept.configuration, kept.read_at = None, -math.inf
            kept.failed_at, kept.reason = self._clock(), error.reason


def fetch_json(url: str, ca_file: Path | None, fetch: Callable[..., Answer] = get) -> Any:
    """JSON of the EHR's about signing in.

    Raises:
        StopError: there is none.
    """
    try:
        answer = fetch(url, headers={"Accept": "application/json"}, seconds=SECONDS, most_bytes=MOST_BYTES, ca_file=ca_file)
    except OutboundError as error:
        raise StopError(NO_CONFIGURATION, error.reason) from error
    if answer.status != _OK:
        raise StopError(NO_CONFIGURATION, "status")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise StopError(NO_CONFIGURATION, "not-json") from None


def endpoint(base: str, document: Mapping[str, Any], name: str) -> str:
    """A URL of a configuration, absolute and safe; empty where it has none.

    Raises:
        StopError: it is not https, or leads to this machine though the EHR is elsewhere.
    """
    value = document.get(name)
    if not isinstance(value, str) or not value:
        return ""
    try:
        url = urljoin(f"{base}/", value)
    except ValueError:
        url = ""
    path, _, query = url.partition("?")  # an endpoint may have a query (RFC 6749, 3.1), but no fragment
    if (
        not may_be_called(path, base)
        or not query.isascii()
        or not query.isprintable()
        or any(mark in query for mark in " #<>\"'\\")
    ):
        raise StopError(NO_CONFIGURATION, "unsafe-endpoint")
    return url


def may_be_called(url: str, base: str) -> bool:
    """Whether an EHR may send us to a URL: one that is elsewhere never to this machine, whose services trust it (threat OUT-01).

    Args:
        url: without a query.
        base: FHIR base URL, as registered.
    """
    return is_secure_url(url) and (is_loopback_url(base) or not may_be_this_machine(urlsplit(url).hostname or ""))


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, or none."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _needed(base: str, document: Json, name: str) -> str:
    found = endpoint(base, document, name)
    if not found:
        raise StopError(NO_CONFIGURATION, "no-endpoint")
    return found
