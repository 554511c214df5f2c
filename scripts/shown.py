"""What the tests of this project show, as the generated pages name it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from scripts.requirement_tests import Shown, shown_in
from server.contract.requirements import Requirement, Threat, requirement_sections, threat_sections

ROOT = Path(__file__).parent.parent
_MOST_NAMED = 3

Tests = Mapping[str, Sequence[Shown]]


@cache
def tests() -> dict[str, list[Shown]]:
    """The tests of this project, by the id that they show."""
    found: dict[str, list[Shown]] = defaultdict(list)
    for one in shown_in(ROOT / "tests"):
        found[one.id].append(one)
    return dict(found)


@cache
def rows() -> dict[str, Requirement | Threat]:
    """Every requirement and threat, by its id."""
    requirements = [row for section in requirement_sections() for row in section.requirements]
    return {row.id: row for row in (*requirements, *(row for section in threat_sections() for row in section.threats))}


def named(found: Sequence[Shown], most: int = _MOST_NAMED, up: str = "..") -> str:
    """The first few tests as sentences, each leading to its file.

    Args:
        found: the tests.
        most: how many are named.
        up: the way from the page to the root of the repository.
    """
    words = [f"[{one.test.removeprefix('test_').replace('_', ' ') or one.file}]({up}/tests/{one.file})" for one in found]
    more = [f"and {len(words) - most} more"] if len(words) > most else []
    return "; ".join(words[:most] + more)


def how_many(rows: Sequence[Requirement | Threat], shown: Tests) -> str:
    """How many rows have tests, how many a reason instead, and how many neither."""
    tested = sum(bool(shown.get(row.id)) for row in rows)
    reasoned = sum(bool(row.why) for row in rows if not shown.get(row.id))
    return f"{len(rows)}; with tests {tested}, with a written reason instead {reasoned}, neither {len(rows) - tested - reasoned}."
