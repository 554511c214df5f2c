"""The table of requirements and of threats: what tests are traced to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent
LEVELS = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "DERIVED", "NOTE")
APPLIES = ("server", "client", "not-applicable")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the table.

    Args:
        id: stable, such as `J-4`.
        level: one of `LEVELS`.
        versions: of CDS Hooks, separated by spaces, or `all`.
        applies: whose duty it is; one of `APPLIES`.
        says: what, in our words.
        why: the reason for having no test; empty where there is none.
    """

    id: str
    level: str
    versions: str
    applies: str
    says: str
    why: str = ""

    @property
    def is_duty(self) -> bool:
        """Whether it binds this service: a SHALL or SHOULD that is ours to keep."""
        return self.applies == "server" and self.level.startswith(("SHALL", "SHOULD"))


@dataclass(frozen=True, slots=True)
class Threat:
    """Something that could go wrong, and what happens then.

    Args:
        id: stable, such as `OUT-01`.
        says: what, in our words.
        why: the reason for having no test; empty where there is none.
    """

    id: str
    says: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    requirements: tuple[Requirement, ...] = ()
    threats: tuple[Threat, ...] = ()


def requirement_sections() -> tuple[Section, ...]:
    """What the specification and its real clients ask of a CDS service."""
    return tuple(
        Section(section["title"], requirements=tuple(_requirement(row) for row in section["requirements"]))
        for section in _read("requirements.yaml")
    )


def threat_sections() -> tuple[Section, ...]:
    """What attackers, faults and wrong data could do."""
    return tuple(
        Section(section["title"], threats=tuple(Threat(**row) for row in section["threats"])) for section in _read("threats.yaml")
    )


def _requirement(row: dict[str, Any]) -> Requirement:
    return Requirement(
        id=row["id"],
        level=row["level"],
        versions=str(row["versions"]),
        applies=row["for"],
        says=row["says"],
        why=row.get("why", ""),
    )


def _read(name: str) -> Any:
    return yaml.load((_FOLDER / name).read_text("utf-8"), yaml.CSafeLoader)
