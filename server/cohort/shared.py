"""What patients share, by reference: the drugs that orders name, and the organisations that look after patients.

In an SQLite file, since a formulary may be larger than what a worker may hold.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from fhir_profiles.elements import objects
from fhir_profiles.resources import same, type_and_id, version_of
from server.cohort.collate import lines_of_partition
from server.cohort.errors import MachineTroubleError
from server.cohort.plan import Plan

Json = dict[str, Any]

NO_SITE = "not stated"
"""What a site is called that no record names."""

_TROUBLE = (
    "{path}: SQLite cannot go on with what patients share ({error}). See that there is room and that it can be read and written, "
    "and start again in the same way; if the same is said again, remove this file first. What is done stays done."
)


def gather_shared(plan: Plan) -> None:
    """Write the file.

    Of several versions of a resource the newest stays; where nothing says which that is, two that differ stay: it takes no more
    for the evaluation to see that they do.

    Args:
        plan: the run, of which everything is collated.

    Raises:
        MachineTroubleError: it cannot be written, for want of room most of the time.
    """
    draft = plan.shared.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with _trouble_said(draft), closing(sqlite3.connect(draft)) as database, database:
        database.execute("CREATE TABLE resource (reference TEXT, content BLOB, PRIMARY KEY (reference, content)) WITHOUT ROWID")
        for _, _, raw in lines_of_partition(plan, plan.partitions):
            resource = orjson.loads(raw)
            if isinstance(resource.get("id"), str):
                _add(database, f"{resource['resourceType']}/{resource['id']}", resource, raw)
    draft.replace(plan.shared)


def _add(database: sqlite3.Connection, reference: str, resource: Json, raw: bytes) -> None:
    """Keep a version, unless those that are there make it needless."""
    kept = _versions(database, reference)
    if kept:
        own, theirs = version_of(resource), version_of(kept[0])
        if own < theirs or (own == theirs and (len(kept) > 1 or same(resource, kept[0]))):
            return
        if own > theirs:
            database.execute("DELETE FROM resource WHERE reference = ?", (reference,))
    database.execute("INSERT INTO resource VALUES (?, ?)", (reference, raw))


def _versions(database: sqlite3.Connection, reference: str) -> list[Json]:
    found = database.execute("SELECT content FROM resource WHERE reference = ?", (reference,))
    return [orjson.loads(content) for (content,) in found]


@contextmanager
def _trouble_said(path: Path) -> Iterator[None]:
    """What SQLite cannot do is said as trouble of the machine, and where."""
    try:
        yield
    except sqlite3.Error as error:
        raise MachineTroubleError(_TROUBLE.format(path=path, error=error)) from error


def newest(versions: list[Json]) -> Json | None:
    """The newest version; of equals the last."""
    return max(enumerate(versions), key=lambda one: (version_of(one[1]), one[0]))[1] if versions else None


def organisation_of(patient: Json | None) -> str | None:
    """What tells the organisation that manages a patient's record from others: type and id, else an identifier, else its name."""
    for reference in objects((patient or {}).get("managingOrganization")):
        text = reference.get("reference")
        if isinstance(text, str) and (named := type_and_id(text)):
            return "/".join(named)
        for identifier in objects(reference.get("identifier")):
            if isinstance(value := identifier.get("value"), str) and value:
                return f"{identifier.get('system') or ''}|{value}"
        if isinstance(name := reference.get("display"), str) and name.strip():
            return name.strip()
    return None


class Shared:
    """The file, for reading.

    Args:
        path: of the file.

    Raises:
        MachineTroubleError: it cannot be opened, or not be read later on.
    """

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._path = path
        with _trouble_said(path):
            self._database = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def find(self, reference: object) -> list[Json]:
        """The resource that a FHIR Reference names, if it is there; several where it is not known which is the newest version."""
        text = reference.get("reference") if isinstance(reference, dict) else None
        named = type_and_id(text) if isinstance(text, str) else None
        if named is None:
            return []
        with _trouble_said(self._path):
            return _versions(self._database, "/".join(named))

    def drugs_of(self, resources: Iterable[Json]) -> list[Json]:
        """The Medications that a patient's orders name, each once."""
        named: dict[str, list[Json]] = {}
        for resource in resources:
            for reference in objects(resource.get("medicationReference")):
                if found := self.find(reference):
                    named[found[0]["id"]] = found
        return [version for versions in named.values() for version in versions]

    def site_of(self, patient: Json | None) -> str | None:
        """The name of the organisation that manages a patient's record; else what the chart calls it."""
        for reference in objects((patient or {}).get("managingOrganization")):
            found = newest(self.find(reference)) or {}
            for name in (found.get("name"), reference.get("display"), organisation_of(patient)):
                if isinstance(name, str) and name.strip():
                    return name.strip()
        return None

    def title_of(self, organisation: str) -> str:
        """What an organisation is called, with what tells it from others of the same name."""
        found = newest(self.find({"reference": organisation})) or {}
        name = found.get("name")
        return f"{name} ({organisation})" if isinstance(name, str) and name.strip() else organisation or NO_SITE
