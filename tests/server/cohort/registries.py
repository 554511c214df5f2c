"""Registries for these tests: the synthetic patients of the sandbox, as Bulk Data and as Bundles; and runs over them."""

import gzip
import json
import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from server.basis import load_basis
from server.cohort.engines import Engine, Here
from server.cohort.inputs import find_inputs
from server.cohort.plan import Plan, make_plan
from server.cohort.run import Outcome, run
from tests.server.charts import AS_OF, chart, resources, slugs

Json = dict[str, Any]
TABLES = ("patients", "recommendations", "issues", "bad_lines")


class Silent:
    """Follows nothing."""

    def step(self, title: str, done: int, of: int, counted: str) -> None:
        """Is not interested."""

    def ended(self, found: int) -> None:
        """Is not interested."""


def as_bulk_data(folder: Path, bundles: Iterable[Json] | None = None, *, packed: bool = False) -> Path:
    """One file to each type, the resources of a patient scattered over them."""
    folder.mkdir(parents=True, exist_ok=True)
    by_type: dict[str, list[str]] = {}
    for bundle in bundles if bundles is not None else map(chart, slugs()):
        for resource in resources(bundle):
            by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind, lines in by_type.items():
        text = "".join(f"{line}\n" for line in sorted(lines, key=lambda line: hash_of(line)))
        if packed:
            (folder / f"{kind}.ndjson.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / f"{kind}.ndjson").write_text(text, "utf-8")
    return folder


def hash_of(line: str) -> int:
    """An order that has nothing to do with patients, and is the same every time."""
    return sum(ord(letter) * position for position, letter in enumerate(line)) % 7919


def as_bundles(folder: Path) -> Path:
    """One file to each patient."""
    folder.mkdir(parents=True, exist_ok=True)
    for slug in slugs():
        (folder / f"{slug}.json").write_text(json.dumps(chart(slug), indent=2), "utf-8")
    return folder


def planned(
    place: Path, out: Path, *, as_of: date = AS_OF, site: Path | None = None, task_bytes: int = 40_000, partitions: int = 5
) -> Plan:
    """A run in so many small tasks that there is something to do between them."""
    inputs = find_inputs(place, task_bytes)
    plan = make_plan(inputs, out, as_of=as_of, site=site, terminology=None, basis=load_basis(site), incomplete=())
    return Plan(**{**{name: getattr(plan, name) for name in Plan.__slots__}, "partitions": partitions})


def ran(place: Path, out: Path, engine: Engine | None = None, **more: Any) -> Outcome:
    """A run, done."""
    return run(planned(place, out, **more), find_inputs(place), engine or Here(), Silent())


def results(out: Path) -> dict[str, bytes]:
    """Every file that a run leaves, byte for byte."""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.is_file()}


def rows(out: Path, table: str) -> list[Json]:
    """A table."""
    import duckdb

    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(out / f"{table}.parquet")])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def command(*arguments: str | Path) -> list[str]:
    """`myositis-cds cohort …` as a process."""
    return [str(Path(sys.executable).with_name("myositis-cds")), "cohort", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """What such a process needs."""
    return {"PATH": os.defpath, **more}
