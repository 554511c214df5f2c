"""How often what occurs: the figures of `proportions.yaml`, each with its source or with the reason why there is none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fhir_profiles.yaml_files import read_yaml

FILE = Path(__file__).with_name("proportions.yaml")

_BASIS = ("source", "says", "assumed", "because")
_NO_FIGURES = ("sources", "sites")


class ProportionsError(ValueError):
    """A figure that rests on nothing, or a file that is not in order; the message names the place."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Args:
        value: a share of 1, a weight, or what the name of its table says.
        sources: ids of `sources`; empty for an assumption.
        why: what the source says, or why it is assumed.
    """

    value: float
    sources: tuple[str, ...]
    why: str

    @property
    def is_assumed(self) -> bool:
        """Nobody published it, or nobody here has read it."""
        return not self.sources


@dataclass(frozen=True, slots=True)
class Site:
    """A made-up hospital.

    Args:
        id: of its Organization.
        name: of it.
        codes: what it codes diagnoses with first: `snomed` or `icd-10-cm`.
        refers_to_drugs: its prescriptions refer to Medications, instead of naming the drug.
        never: resource types that it never sends.
        weight: how many of the patients are its own, compared with the others.
    """

    id: str
    name: str
    codes: str
    refers_to_drugs: bool
    never: frozenset[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Proportions:
    """The file.

    Args:
        figures: by path, such as `lung_disease.polymyositis`.
        sources: what was read, by id.
        sites: the hospitals.
    """

    figures: Mapping[str, Figure]
    sources: Mapping[str, Mapping[str, Any]]
    sites: tuple[Site, ...]

    def of(self, path: str) -> float:
        """One figure. Raises KeyError where there is none."""
        return self.figures[path].value

    def table(self, path: str) -> dict[str, float]:
        """The figures of a table by name, without those of tables inside it. Raises KeyError where there are none."""
        start = f"{path}."
        names = (name.removeprefix(start) for name in self.figures if name.startswith(start))
        found = {name: self.figures[start + name].value for name in names if "." not in name}
        if not found:
            raise KeyError(path)
        return found


@cache
def packaged_proportions() -> Proportions:
    """The packaged file, read once."""
    return read_proportions(FILE)


def read_proportions(path: Path) -> Proportions:
    """Read and check a file.

    Raises:
        ProportionsError: a figure has neither a source nor a reason, or names a source that is not listed.
        YamlError: it is not YAML.
    """
    content = read_yaml(path)
    sources = content["sources"]
    figures = dict(_figures("", {name: table for name, table in content.items() if name not in _NO_FIGURES}, {}))
    for place, figure in figures.items():
        unknown = [name for name in figure.sources if name not in sources]
        if unknown:
            raise ProportionsError(f"{path.name}: {place}: the source {unknown[0]} is not listed under `sources`")
    return Proportions(figures, sources, tuple(_site(number, entry) for number, entry in enumerate(content["sites"], start=1)))


def _figures(place: str, table: Mapping[str, Any], basis: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    """All figures under a table; what it rests on holds for the numbers in it that say nothing themselves."""
    basis = {**basis, **{name: table[name] for name in _BASIS if name in table}}
    for name, entry in table.items():
        here = f"{place}.{name}" if place else name
        if name in _BASIS:
            continue
        if not isinstance(entry, Mapping):
            yield here, _figure(here, entry, basis)
        elif "value" in entry:
            yield here, _figure(here, entry["value"], entry)
        else:
            yield from _figures(here, entry, basis)


def _figure(place: str, value: Any, basis: Mapping[str, Any]) -> Figure:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ProportionsError(f"{FILE.name}: {place}: a figure is a number, not below 0")
    named = basis.get("source", [])
    sources = (named,) if isinstance(named, str) else tuple(named)
    why = basis.get("says" if sources else "because")
    if not why or bool(sources) is bool(basis.get("assumed")):
        raise ProportionsError(
            f"{FILE.name}: {place}: give `source` and what it `says`, or `assumed: true` and `because`; not both, and not neither"
        )
    return Figure(float(value), sources, str(why))


def _site(number: int, entry: Mapping[str, Any]) -> Site:
    return Site(
        id=f"site-{number}",
        name=entry["name"],
        codes=entry["codes"],
        refers_to_drugs=entry["medications"] == "referenced",
        never=frozenset(entry["never"]),
        weight=entry["weight"],
    )
