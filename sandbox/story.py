"""A patient told in a few lines of YAML: `stories/<slug>.yaml`.

Every `what` is a key of `codes.csv`. Dates are FHIR dates (a day, a month or a year) and lie before `as_of`, the day on
which the story is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml

STORIES_FOLDER = Path(__file__).with_name("stories")


class StoryError(ValueError):
    """A story cannot be read; the message says which file and which part, for the person who writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionLine:
    """A problem: HL7 condition-clinical `status`, condition-ver-status `verification`, and how severe it is.

    `severity` is mild, moderate or severe, or empty where nobody graded it.
    """

    what: str
    onset: str = ""
    recorded: str = ""
    status: str = "active"
    verification: str = "confirmed"
    severity: str = ""
    ended: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationLine:
    """A drug course. Without `end` it goes on; `stopped` is why it ended: `ineffective` or `not tolerated`.
    `route` is a key of codes.csv.

    `dose` such as `60 mg daily` or `15 mg weekly` is also written in structured form; other words stay words.
    `reported: yes` makes a MedicationStatement (the patient says so) instead of a MedicationRequest.
    """

    what: str
    start: str
    end: str = ""
    dose: str = ""
    stopped: str = ""
    note: str = ""
    setting: str = "outpatient"
    route: str = ""
    reported: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """An observation with one of: `answer` (positive, negative, borderline), `value` (a number), or `coded` (a key).

    `range` is the laboratory's own, `26..192`, `80..` or `..5`; high, low or normal follows from it.
    A blood pressure is a value such as `128/78`.
    """

    what: str
    on: str
    answer: str = ""
    value: str = ""
    range: str = ""
    coded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureLine:
    """Something done to the patient; with `declined: yes` something that was not done because the patient declined it."""

    what: str
    on: str
    outcome: str = ""
    declined: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """A report with its conclusion; `of` lists the results of the same day that it sums up."""

    what: str
    on: str
    conclusion: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """Something ordered and not done yet."""

    what: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyLine:
    """An allergy or intolerance, or the statement that there is none."""

    what: str
    recorded: str
    reaction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyLine:
    """A disease of a relative."""

    relation: str
    what: str
    recorded: str


Line = ConditionLine | MedicationLine | ResultLine | ProcedureLine | ReportLine | OrderLine | AllergyLine | FamilyLine
"""Whatever can stand in a story."""

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One synthetic patient; `slug` is the file name and the FHIR id."""

    slug: str
    name: str
    story: str
    as_of: date
    born: date
    sex: str
    conditions: tuple[ConditionLine, ...] = ()
    medications: tuple[MedicationLine, ...] = ()
    results: tuple[ResultLine, ...] = ()
    procedures: tuple[ProcedureLine, ...] = ()
    reports: tuple[ReportLine, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    allergies: tuple[AllergyLine, ...] = ()
    family: tuple[FamilyLine, ...] = ()

    @property
    def age(self) -> int:
        """Completed years of life on the day of the story."""
        had_birthday = (self.as_of.month, self.as_of.day) >= (self.born.month, self.born.day)
        return self.as_of.year - self.born.year - (not had_birthday)


LINES: Mapping[str, type[Any]] = {
    "conditions": ConditionLine,
    "medications": MedicationLine,
    "results": ResultLine,
    "procedures": ProcedureLine,
    "reports": ReportLine,
    "orders": OrderLine,
    "allergies": AllergyLine,
    "family": FamilyLine,
}


def read_story(path: Path) -> Story:
    """Read one story.

    Args:
        path: the YAML file; its name without ending is the slug.

    Raises:
        StoryError: not YAML, an unknown field, or a field that is missing.
    """
    try:
        # CBaseLoader makes nothing but strings, so that `2026`, `2026-07` and `4.0` mean what they say.
        told: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)  # noqa: S506
        for part, kind in LINES.items():
            told[part] = _read_lines(kind, told.get(part, ()))
        for day in ("as_of", "born"):
            told[day] = date.fromisoformat(told[day])
        return Story(slug=path.stem, **told)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoryError(f"{path.name}: {error}") from error


def read_stories(folder: Path = STORIES_FOLDER) -> tuple[Story, ...]:
    """All stories of a folder, by slug."""
    return tuple(read_story(path) for path in sorted(folder.glob("*.yaml"), key=lambda path: path.stem))


def _read_lines(kind: type[_Kind], told: Iterable[Mapping[str, Any]]) -> tuple[_Kind, ...]:
    return tuple(
        kind(**{field: tuple(value) if isinstance(value, list) else value for field, value in line.items()}) for line in told
    )
