"""`clients.toml`: read, checked as a whole, and every fault in it reported at once (`docs/clients.md`).

The values may be secret, so no message repeats one.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from cards.layers import PACKAGED, Layers, is_whole
from cards.verdicts import RuleError
from server.config import ConfigurationError
from server.trust.client_checks import Fault, Jwks, check_client, check_together, read_jwks
from server.trust.clients import Client
from server.trust.jwk_set import public_part
from server.trust.smart_checks import read_registration

_SCHEMA = Path(__file__).with_name("clients.schema.json")


def load_clients(path: Path, site: Path | None = None) -> tuple[Client, ...]:
    """The clients in a `clients.toml`.

    Args:
        path: the file.
        site: the site folder, which may add card topics.

    Raises:
        ConfigurationError: the file cannot be used; the message has every fault, with client, key and remedy, in one line. Or
            the site folder cannot.
    """
    clients, faults = read_clients(path, site)
    if len(faults) == 1:
        raise ConfigurationError(f"{path}: {faults[0]}")
    if faults:
        raise ConfigurationError(
            f"{path}: {len(faults)} faults: " + "; ".join(f"({i}) {fault}" for i, fault in enumerate(faults, 1))
        )
    return clients


def read_clients(path: Path, site: Path | None = None) -> tuple[tuple[Client, ...], tuple[Fault, ...]]:
    """The clients without a fault, and all faults of the others; for arguments see `load_clients`."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        return (), (Fault(f"cannot be read ({error.strerror}); name a TOML file, as docs/clients.md shows it"),)
    except UnicodeDecodeError:
        return (), (Fault("is not UTF-8; save it as UTF-8"),)
    except tomllib.TOMLDecodeError as error:
        return (), (Fault(f"is not TOML {_place(error)}; docs/clients.md has an example"),)
    outside = tuple(Fault(_words(problem)) for problem in _problems(document, "file"))
    entries = document.get("client")
    entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    topics = _topics(site)
    read = [_read(entry, number, path.parent, topics) for number, entry in enumerate(entries, 1)]
    together = tuple(check_together(entries))
    clients = () if together else tuple(client for client, _ in read if client)
    return clients, (*outside, *(fault for _, faults in read for fault in faults), *together)


def _read(entry: Mapping[str, Any], number: int, folder: Path, topics: frozenset[str]) -> tuple[Client | None, tuple[Fault, ...]]:
    """One client, or its faults; what the schema does not accept is not looked at again."""
    problems = list(_problems(entry, "client"))
    wrong = {problem.absolute_path[0] for problem in problems if problem.absolute_path}
    name = f"client {entry['name']}" if "name" in entry and "name" not in wrong else f"client number {number}"
    readable = {key: value for key, value in entry.items() if key not in wrong}
    jwks = read_jwks(readable, folder)
    texts = (*map(_words, problems), *check_client(readable, jwks, folder, topics, wrong))
    return (None if texts else _client(entry, jwks, folder)), tuple(Fault(text, name) for text in texts)


def _client(entry: Mapping[str, Any], jwks: Jwks, folder: Path) -> Client:
    """The client of an entry without a fault."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    values.pop("jwks_file", None)
    if jwks.document is not None:
        values["jwks"] = public_part(jwks.document)
    if "ca_file" in values:
        values["ca_file"] = folder / values["ca_file"]
    for key in ("topics_off", "fhir_types_missing"):
        values[key] = frozenset(values.get(key, ()))
    values["fhir_servers"] = tuple(url.rstrip("/") for url in values.get("fhir_servers", ()))
    if "smart" in values:
        values["smart"] = read_registration(values["smart"], folder)
    return Client(**values)


def _topics(site: Path | None) -> frozenset[str]:
    layers = Layers(site) if site and is_whole(site) else Layers(PACKAGED, site)
    try:
        return frozenset(layers.table("topics"))
    except RuleError as error:
        raise ConfigurationError(str(error)) from error


@cache
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(_SCHEMA.read_text("utf-8"))
    return schema


@cache
def _validator(part: str) -> Draft202012Validator:
    """Checks the file around the clients, or one client."""
    schema = _schema()
    if part == "client":
        return Draft202012Validator(schema["$defs"]["client"])
    return Draft202012Validator(
        {**schema, "properties": {"client": {**schema["properties"]["client"], "items": {"type": "object"}}}}
    )


def _problems(value: Any, part: str) -> Iterator[ValidationError]:
    """One problem to a key: several about the same would only say the same again."""
    seen = set()
    for problem in _validator(part).iter_errors(value):
        key = problem.absolute_path[0] if problem.absolute_path else problem.validator
        if key not in seen or problem.validator == "required":
            yield problem
        seen.add(key)


def _words(problem: ValidationError) -> str:
    """What is wrong and what to write instead, without the value."""
    schema: Any = problem.schema
    if problem.absolute_path:
        key = str(problem.absolute_path[0])
        known = {**_schema()["$defs"]["client"]["properties"], **_schema()["properties"]}
        return f"{key}: must be {known[key]['description']}"
    found: Any = problem.instance
    known = schema["properties"]
    if problem.validator == "required":
        missing = next(key for key in schema["required"] if f"'{key}'" in problem.message)
        return f"{missing}: is missing; write {known[missing].get('description', 'it')}"
    return "; ".join(_unknown(key, known) for key in sorted(found.keys() - known.keys()))


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(key, known, 1)
    return f"{key}: is not a key" + (f"; did you mean {near[0]}?" if near else f"; the keys are {', '.join(sorted(known))}")


def _place(error: tomllib.TOMLDecodeError) -> str:
    """Where, without what stands there."""
    _, found, place = str(error).rpartition("(at ")
    return f"at {place.rstrip(')')}" if found else "somewhere"
