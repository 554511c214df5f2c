"""What patients share, by reference: the drugs that orders name, and the organisations that look after patients.

In an SQLite file, since a formulary may be larger than what a worker may hold.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from fhir_profiles.elements import objects
from fhir_profiles.resources import type_and_id, version_of
from server.cohort.collate import lines_of_partition
from server.cohort.plan import Plan

Json = dict[str, Any]

NO_SITE = "not stated"
"""What a site is called that no record names."""


def gather_shared(plan: Plan) -> None:
    """Write the file; of several versions of a resource the newest stay; whether these differ, the evaluation sees."""
    draft = plan.shared.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as database, database:
        database.execute(
            "CREATE TABLE resource (reference TEXT, content BLOB, updated TEXT, number INTEGER, "
            "PRIMARY KEY (reference, content)) WITHOUT ROWID"
        )
        database.executemany("INSERT OR IGNORE INTO resource VALUES (?, ?, ?, ?)", _rows(plan))
        database.execute(
            "DELETE FROM resource AS old WHERE EXISTS (SELECT 1 FROM resource AS new "
            "WHERE new.reference = old.reference AND (new.updated, new.number) > (old.updated, old.number))"
        )
    draft.replace(plan.shared)


def _rows(plan: Plan) -> Iterator[tuple[str, bytes, str, int]]:
    for _, _, raw in lines_of_partition(plan, plan.partitions):
        resource = orjson.loads(raw)
        if isinstance(resource.get("id"), str):
            moment, number = version_of(resource)
            reference = f"{resource['resourceType']}/{resource['id']}"
            yield reference, raw, moment.isoformat(timespec="microseconds"), number


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
    """

    def __init__(self, path: Path) -> None:
        """Open it."""
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
        found = self._database.execute("SELECT content FROM resource WHERE reference = ?", ("/".join(named),))
        return [orjson.loads(content) for (content,) in found]

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
