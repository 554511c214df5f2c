"""The doctor, second part: what is registered for one EHR, and does its side answer? Only registered addresses are called."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from server.cds_hooks.dialects import DIALECTS
from server.connecting.findings import Finding, failed, ok, warning
from server.connecting.sheet import ANY_CLIENT
from server.outbound.http import Answer, OutboundError, get
from server.trust.clients import Client
from server.trust.jwk_set import JwkSet, JwkSetError, read_jwk_set
from server.trust.keys import fetch_jwk_set

Fetch = Callable[..., Answer]
Clock = Callable[[], datetime]

_SECONDS, _MOST_BYTES = 5.0, 5 * 1024 * 1024
_MOST_SKEW = 30.0
"""Seconds; a token's `iat` further in the future is refused."""


def now_utc() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def check_client(client: Client, fetch: Fetch = get, clock: Clock = now_utc) -> Iterator[Finding]:
    """Check what one client is registered with.

    Args:
        client: the registered client.
        fetch: `server.outbound.http.get`.
        clock: the time of day in UTC.
    """
    for finding in (*_registered(client), *_keys(client, fetch), *_servers(client, fetch, clock)):
        yield Finding(finding.verdict, f"{client.name}: {finding.what}", finding.remedy, finding.requirement)


def _registered(client: Client) -> Iterator[Finding]:
    dialect = DIALECTS[client.dialect]
    if dialect.links_to_register and client.links is None:
        kinds = " and ".join(dialect.links_to_register)
        yield warning(f"links: none are registered, so no {kinds} links are sent", "set links for this client", "C-43")
    if dialect.code_systems:
        yield warning(
            f"orders: {dialect.name} takes only orders with codes of its own lists; the others are said in words",
            "see `connect --print --client NAME`, Orders to map",
            "C-32",
        )
    if dialect.accepts_double_slash:
        yield warning(
            "dialect: of the public sandbox, whose private key is public", "never register it where real patients are", "X-4"
        )
    if client.longest_life > ANY_CLIENT.longest_life:
        yield warning(f"tokens: may live {client.longest_life} seconds", "shorten longest_life if the EHR allows it", "J-17")
    if not client.replay_check:
        yield warning("tokens: may be used again, since replay_check is off", "turn it on but for a test client", "J-18")


def _keys(client: Client, fetch: Fetch) -> Iterator[Finding]:
    try:
        found = fetch_jwk_set(client, fetch)[0] if client.jwks is None else read_jwk_set(client.jwks)
    except (OutboundError, JwkSetError) as error:
        yield failed(f"keys: none ({error.reason})", "is jwks_url right, and does its server answer this machine?", "J-19")
        return
    yield _judge(found, client)
    if found.reveals_private:
        yield failed("keys: the set shows a private key", "whoever can read it can call as this client; ask for new keys", "J-20")


def _judge(found: JwkSet, client: Client) -> Finding:
    usable = sum(bool(key.algorithms & set(client.algorithms)) for key in found.keys)
    others = len(found.keys) - usable + len(found.unusable)
    if not usable:
        return failed(
            f"keys: none that verifies {' or '.join(client.algorithms)}", "see `myositis-cds clients check --fetch`", "J-15"
        )
    return ok(f"keys: {usable} that can be used, {others} that cannot", "J-20")


def _servers(client: Client, fetch: Fetch, clock: Clock) -> Iterator[Finding]:
    if not client.fhir_servers:
        yield ok("FHIR servers: none are registered; what is not sent is not fetched", "T-9")
    for position, base in enumerate(client.fhir_servers, 1):
        for finding in _server(base, client, fetch, clock):
            yield Finding(finding.verdict, f"FHIR server {position}: {finding.what}", finding.remedy, finding.requirement)


def _server(base: str, client: Client, fetch: Fetch, clock: Clock) -> Iterator[Finding]:
    accept = {"Accept": "application/fhir+json"}
    try:
        answer = fetch(f"{base}/metadata", headers=accept, seconds=_SECONDS, most_bytes=_MOST_BYTES, ca_file=client.ca_file)
    except OutboundError as error:
        yield failed(f"does not answer /metadata ({error.reason})", "is the base URL right, and is the way open?", "R-17")
        return
    statement = _capability_statement(answer)
    if statement is None:
        yield failed("/metadata is no CapabilityStatement", "register the base URL of the FHIR server itself", "R-17")
    elif not str(statement.get("fhirVersion", "")).startswith("4."):
        yield failed("speaks another version of FHIR than R4", "register the R4 base URL", "C-37")
    else:
        yield ok("answers, FHIR R4", "R-17")
    yield from _clock(answer.headers, clock)


def _capability_statement(answer: Answer) -> Mapping[str, object] | None:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    is_one = answer.status == 200 and isinstance(document, dict) and document.get("resourceType") == "CapabilityStatement"
    return document if is_one else None


def _clock(headers: Mapping[str, str], clock: Clock) -> Iterator[Finding]:
    """The clocks of both sides must agree, or good tokens are refused (threat JWT-13)."""
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return
    apart = abs((clock() - theirs.astimezone(UTC)).total_seconds())
    if apart > _MOST_SKEW:
        yield warning(f"its clock and ours are {apart:.0f} seconds apart", "set both by NTP, or its tokens are refused", "J-12")
