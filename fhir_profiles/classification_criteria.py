"""The 2017 EULAR/ACR classification criteria as data: `definitions/classification.yaml`, read once and checked.

Scores are whole numbers of tenths of a point, so that a comparison with a cut-off is exact.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from fhir_profiles.clinical_definitions import FOLDER, DefinitionError, FeatureDefinition

FILE = "classification.yaml"
WITHOUT_BIOPSY, WITH_BIOPSY = "without-biopsy", "with-biopsy"
COLUMN_CODES = (WITHOUT_BIOPSY, WITH_BIOPSY)

FROM_THE_ASSESSMENT = ("adult-onset", "treatment-not-improved")
"""Findings that the tree asks for and no entry of the file defines."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the score table.

    Args:
        code: `without-biopsy` or `with-biopsy`.
        possible, probable, definite: least scores of the classes, in tenths.
    """

    code: str
    possible: int
    probable: int
    definite: int


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the score table.

    Args:
        code: the name of the finding that answers it.
        title: in words.
        weights: tenths by column; a biopsy item has none without biopsy.
        is_common: so frequent in other diseases that it does not by itself raise the question of myositis.
    """

    code: str
    title: str
    weights: Mapping[str, int]
    is_common: bool = False

    @property
    def is_of_biopsy(self) -> bool:
        """Whether only a muscle biopsy answers it."""
        return WITHOUT_BIOPSY not in self.weights


@dataclass(frozen=True, slots=True)
class Band:
    """Ages at the first symptom, `youngest` to `oldest` completed years, and what they score in tenths by column."""

    title: str
    youngest: int
    oldest: int
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Grading:
    """How MRC grades answer an item: groups that are `weak`, or `weaker` groups against others (`than`); ValueSet ids.

    `whole` is the grade of proximal strength for which no limb is named.
    """

    weak: tuple[str, ...] = ()
    whole: str | None = None
    weaker: tuple[str, ...] = ()
    than: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A question of the sub-classification tree, and where its answers lead: to a further question or to a subgroup."""

    ask: str
    if_yes: "Branch | str"
    if_no: "Branch | str"


@dataclass(frozen=True, slots=True)
class Criteria:
    """The whole file; its members are explained there."""

    source: Mapping[str, Any]
    statement: str
    notes: Mapping[str, str]
    other_explanations: tuple[str, ...]
    caveats: tuple[str, ...]
    columns: Mapping[str, Column]
    onset_title: str
    bands: tuple[Band, ...]
    first_symptoms: tuple[str, ...]
    items: tuple[Item, ...]
    recorded: Mapping[str, FeatureDefinition]
    named_by_biopsy: Mapping[str, str]
    graded: Mapping[str, Grading]
    combined: Mapping[str, FeatureDefinition]
    tree: Branch
    subgroups: Mapping[str, str]


@cache
def criteria() -> Criteria:
    """The packaged criteria.

    Raises:
        DefinitionError: an item, a combination or the tree names what no entry defines, or a weight is no whole number.
    """
    content = yaml.load((FOLDER / FILE).read_text("utf-8"), Loader=yaml.CSafeLoader)
    return read_criteria(content)


def read_criteria(content: Mapping[str, Any]) -> Criteria:
    """The content of the file as checked values; raises as `criteria` does."""
    onset = content["onset"]
    read = Criteria(
        source=content["source"],
        statement=content["statement"],
        notes=content["notes"],
        other_explanations=tuple(content["other_explanations"]),
        caveats=tuple(content["caveats"]),
        columns={
            code: Column(code, *(_tenths(code, entry[name]) for name in ("possible", "probable", "definite")))
            for code, entry in content["columns"].items()
        },
        onset_title=onset["title"],
        bands=tuple(Band(b["title"], b["from"], b["to"], _weights(b["title"], b)) for b in onset["bands"]),
        first_symptoms=tuple(onset["first_symptoms"]),
        items=tuple(Item(c, e["title"], _weights(c, e), e.get("common", False)) for c, e in content["items"].items()),
        recorded=_features(content["recorded"]),
        named_by_biopsy=content["named_by_biopsy"],
        graded={code: _grading(entry) for code, entry in content["graded"].items()},
        combined=_features(content["combined"]),
        tree=_branch(content["tree"]),
        subgroups=content["subgroups"],
    )
    _check_names(read)
    return read


def _weights(name: str, entry: Mapping[str, Any]) -> dict[str, int]:
    return {column: _tenths(name, entry[column]) for column in COLUMN_CODES if column in entry}


def _tenths(name: str, number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise DefinitionError(f"{FILE}: {name} has a score that is no whole number of tenths; write 3.1 as 31")
    return number


def _features(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, FeatureDefinition]:
    if of_now := [code for code, entry in entries.items() if "of_now" in entry]:
        raise DefinitionError(f"{FILE}: {of_now} have `of_now`, which means nothing here: the criteria ask whether it ever was")
    return {code: FeatureDefinition(**_with_tuples(entry)) for code, entry in entries.items()}


def _with_tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _grading(entry: Mapping[str, Any]) -> Grading:
    groups = {key: tuple(map(_group, entry[key])) for key in ("weak", "weaker", "than") if key in entry}
    return Grading(**groups, whole=_group(entry["whole"]) if "whole" in entry else None)


def _group(name: str) -> str:
    return f"muscle_strength_mrc_{name}"


def _branch(entry: Mapping[str, Any] | str) -> Any:
    return entry if isinstance(entry, str) else Branch(entry["ask"], _branch(entry["if_yes"]), _branch(entry["if_no"]))


def _check_names(read: Criteria) -> None:
    known = {*read.recorded, *read.graded, *FROM_THE_ASSESSMENT, *read.combined}
    parts = (part for feature in read.combined.values() for part in (*feature.any, *feature.all))
    asked, leaves = set(_questions(read.tree)), set(_leaves(read.tree))
    _refuse({item.code for item in read.items}, known, "an item")
    _refuse({*parts, *asked, *read.named_by_biopsy}, known, "a combination, the biopsy or the tree")
    _refuse(leaves, set(read.subgroups), "the tree")


def _refuse(named: Iterable[str], known: set[str], where: str) -> None:
    if unknown := sorted(set(named) - known):
        raise DefinitionError(f"{FILE}: {where} names {unknown}, which no entry defines; add the entry or mend the name")


def _questions(branch: Branch | str) -> Iterator[str]:
    if isinstance(branch, Branch):
        yield from (branch.ask, *_questions(branch.if_yes), *_questions(branch.if_no))


def _leaves(branch: Branch | str) -> Iterator[str]:
    if isinstance(branch, str):
        yield branch
    else:
        yield from (*_leaves(branch.if_yes), *_leaves(branch.if_no))
