"""What a JSON Schema cannot say about an entry of `clients.toml`; each check yields what is wrong, where, and what to do."""

import json
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import Any

from server.cds_hooks.dialects import DIALECTS
from server.cds_hooks.prefetch import TEMPLATES
from server.ehr.address import normal_base
from server.trust.clients import DEFAULT_ALGORITHMS
from server.trust.jwk_set import ALGORITHMS, JwkSetError, read_jwk_set
from server.trust.smart_checks import check_smart, share_a_server
from server.urls import is_loopback_url, is_origin, is_secure_url

_KEY_SOURCES = ("jwks_url", "jwks", "jwks_file")
_MOST_BYTES = 256 * 1024
_FETCHED_TYPES = frozenset(template.resource_type for template in TEMPLATES)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        text: what, and what to do.
        client: in which client; empty for the file as a whole.
    """

    text: str
    client: str = ""

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.client}: {self.text}" if self.client else self.text


@dataclass(frozen=True, slots=True)
class Jwks:
    """The JWK Set of an entry that has it inline or in a file.

    Args:
        document: parsed JSON, not yet checked; None where there is none.
        fault: why its file cannot be used; else empty.
    """

    document: Any = None
    fault: str = ""


def read_jwks(entry: Mapping[str, Any], folder: Path) -> Jwks:
    """The JWK Set of an entry; its file is read here, and only here.

    Args:
        entry: what the schema accepted of it.
        folder: file names are seen from there.
    """
    if "jwks_file" not in entry:
        return Jwks(entry.get("jwks"))
    try:
        with (folder / entry["jwks_file"]).open("rb") as file:
            return Jwks(json.loads(file.read(_MOST_BYTES)))
    except OSError as error:
        return Jwks(fault=f"cannot be read ({error.strerror}); write its name as seen from {folder}")
    except (ValueError, RecursionError):
        return Jwks(fault="is not JSON, or longer than 256 KiB; write a JWK Set with the public keys of the client only")


def check_client(
    entry: Mapping[str, Any], jwks: Jwks, folder: Path, topics: Collection[str], wrong: Collection[Any]
) -> Iterator[str]:
    """Check one entry.

    Args:
        entry: what the schema accepted of it.
        jwks: its JWK Set.
        folder: of the file; other files are seen from there.
        topics: codes of card topics.
        wrong: the keys that the schema did not accept.
    """
    yield from _check_key_source(entry, jwks, wrong)
    yield from _check_urls(entry)
    yield from _check_ca_file(entry, folder)
    yield from _check_names("dialect", [entry["dialect"]] if "dialect" in entry else [], DIALECTS)
    yield from _check_names("topics_off", entry.get("topics_off", ()), topics)
    yield from _check_names("fhir_types_missing", entry.get("fhir_types_missing", ()), _FETCHED_TYPES)
    yield from check_smart(entry, folder)


def check_together(entries: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """No two clients may be taken for each other (threat JWT-09)."""
    for (i, one), (j, other) in combinations(enumerate(entries, 1), 2):
        where = f"clients number {i} and {j}"
        if one.get("name") is not None and one.get("name") == other.get("name"):
            yield Fault("name: is the same; give each its own", where)
        if one.get("issuer") is not None and one.get("issuer") == other.get("issuer") and not _are_disjoint(one, other):
            text = "issuer: is the same, so each needs tenants, and none in common; otherwise make them one client"
            yield Fault(text, where)
        if share_a_server(one, other):
            yield Fault("smart: both have it and the same FHIR server, so a launch could be of either; give it to one", where)


def _are_disjoint(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = one.get("tenants"), other.get("tenants")
    if not isinstance(first, list) or not isinstance(second, list):
        return False
    return bool(first and second) and not any(tenant in second for tenant in first)


def _check_key_source(entry: Mapping[str, Any], jwks: Jwks, wrong: Collection[Any]) -> Iterator[str]:
    given = [key for key in _KEY_SOURCES if key in entry or key in wrong]
    if len(given) != 1:
        yield f"{', '.join(given) or 'keys'}: write exactly one of jwks_url, jwks (inline) and jwks_file"
        return
    (key,) = given
    if jwks.fault:
        yield f"{key}: {jwks.fault}"
    elif key != "jwks_url" and key in entry:
        yield from _check_jwk_set(key, jwks.document, entry, wrong)


def _check_jwk_set(key: str, document: Any, entry: Mapping[str, Any], wrong: Collection[Any]) -> Iterator[str]:
    try:
        found = read_jwk_set(document)
    except JwkSetError as error:
        yield f"{key}: is not a JWK Set ({error.reason}); write {{keys = [...]}} with the public keys of the client"
        return
    allowed = set(ALGORITHMS if "algorithms" in wrong else entry.get("algorithms", DEFAULT_ALGORITHMS))
    if not any(one.algorithms & allowed for one in found.keys):
        reasons = ", ".join(f"key {position}: {reason}" for position, reason in found.unusable)
        yield (
            f"{key}: no key in it can verify with {' or '.join(sorted(allowed))}{f' ({reasons})' if reasons else ''}; "
            "add such a public key, or set algorithms"
        )


def _check_urls(entry: Mapping[str, Any]) -> Iterator[str]:
    secure = "must be https, without user, query and fragment; http only on this machine"
    if "jwks_url" in entry and not is_secure_url(entry["jwks_url"]):
        yield f"jwks_url: {secure}"
    servers = entry.get("fhir_servers", ())
    for position, url in enumerate(servers, 1):
        if not is_secure_url(url) or normal_base(url) is None:
            yield f"fhir_servers: number {position} {secure}"
        elif entry.get("fhir_without_token") and not is_loopback_url(url):
            yield f"fhir_without_token: is for this machine only; take it out, or number {position} of fhir_servers"
    for position, url in enumerate(entry.get("links", ()), 1):
        if not is_secure_url(url):
            yield f"links: number {position} {secure}"
    for position, origin in enumerate(entry.get("origins", ()), 1):
        if not is_origin(origin):
            yield f"origins: number {position} must be https, host and perhaps a port, in lower case, and nothing after that"


def _check_ca_file(entry: Mapping[str, Any], folder: Path) -> Iterator[str]:
    if "ca_file" not in entry:
        return
    try:
        ssl.create_default_context(cafile=str(folder / entry["ca_file"]))
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        yield f"ca_file: cannot be read ({error.strerror}); write its name as seen from {folder}"
    except OSError:  # ssl.SSLError is one: no certificate in it
        yield "ca_file: has no certificate in it; write a PEM file"


def _check_names(key: str, names: Sequence[str], known: Collection[str]) -> Iterator[str]:
    for position, name in enumerate(names, 1):
        if name not in known:
            near = get_close_matches(name, known, 1)
            where = key if len(names) == 1 else f"{key}: number {position}"
            yield f"{where}: is not known; " + (
                f"did you mean {near[0]}?" if near else f"write one of {', '.join(sorted(known))}"
            )
