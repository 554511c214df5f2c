"""What a scenario says of its patient, as a chart: one line of `_LISTS` per word that a clinician may write.

`docs/scenarios.md` explains every word; `schemas/scenarios.schema.json` says which members it has.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from server.knowledge.clinical_chart import ChartWordError, ClinicalChart

Words = Mapping[str, Any]
_Adding = Callable[..., ClinicalChart]


def _result(chart: ClinicalChart, what: str, **rest: Any) -> ClinicalChart:
    """A measured value or a flag, or what was answered: a concept, or positive, negative or borderline."""
    answer = rest.pop("answer", None)
    if answer is None:
        return chart.result(what, **rest)
    if answer in ("positive", "negative", "borderline"):
        return chart.antibody(what, answer, **rest)
    return chart.answered(what, answer, **rest)


def _fhir(chart: ClinicalChart, resourceType: str, **fields: Any) -> ClinicalChart:  # noqa: N803 - FHIR's own name
    """A resource as it is, for what no word says."""
    return chart.add(resourceType, **fields)


_LISTS: Mapping[str, _Adding] = {
    "problems": ClinicalChart.has,
    "results": _result,
    "takes": ClinicalChart.takes,
    "stopped": ClinicalChart.stopped,
    "given": ClinicalChart.given,
    "vaccinated": ClinicalChart.vaccinated,
    "intolerances": ClinicalChart.cannot_tolerate,
    "done": ClinicalChart.had,
    "reported": ClinicalChart.reported,
    "ordered": ClinicalChart.ordered,
    "declined": ClinicalChart.declined,
    "drafts": ClinicalChart.drafts,
    "fhir": _fhir,
}
"""Lists of entries; an entry is a mapping with `what`, or the plain word that `what` would be."""

_TABLES: Mapping[str, tuple[str, _Adding]] = {
    "antibodies": ("answer", ClinicalChart.antibody),
    "strength": ("grade", ClinicalChart.strength),
}
"""Mappings by name; a value is a mapping, a list of them, or what its one named member would be."""


def chart_of(words: Words, as_of: str) -> ClinicalChart:
    """The chart that the words describe.

    Args:
        words: `sex`, `born`, `problems`, … as `schemas/scenarios.schema.json` allows them.
        as_of: the day of the scenario, an ISO date, where the words name no other.

    Raises:
        ChartWordError: a concept or a date means nothing to us.
    """
    chart = ClinicalChart(
        sex=words.get("sex"),
        born=_text(words.get("born")),
        as_of=_as_day(words.get("as_of", as_of)),
        deceased=words.get("deceased", False),
        drafts_written=() if "drafts" in words else None,
    )
    for word, entry, add in _entries(words):
        try:
            chart = add(chart, **entry)
        except ChartWordError as error:
            raise ChartWordError(f"{word}: {error}") from None
    return chart.without(*words.get("not_supplied", ())).failed(*words.get("failed", ()))


def merged(base: Words, more: Words) -> Words:
    """The base with more added to it: lists grow longer, tables gain or change entries, the rest is replaced."""
    return {**base, **{key: _grown(base.get(key), value) for key, value in more.items()}}


def _grown(old: Any, new: Any) -> Any:
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    return new


def _entries(words: Words) -> Iterator[tuple[str, dict[str, Any], _Adding]]:
    for word, add in _LISTS.items():
        for entry in words.get(word, ()):
            yield word, _arguments(entry if isinstance(entry, dict) else {"what": entry}), add
    for word, (main, add) in _TABLES.items():
        for name, value in words.get(word, {}).items():
            for entry in value if isinstance(value, list) else [value]:
                yield word, _arguments({"what": name, **(entry if isinstance(entry, dict) else {main: entry})}), add


_DATES = ("since", "until", "on", "recorded")


def _arguments(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: _text(value) if key in _DATES else value for key, value in entry.items()}


def _text(value: object) -> str | None:
    """A date as text: a year alone is a number in YAML."""
    return None if value is None else str(value)


def _as_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ChartWordError(f"as_of: `{text}` is no day; write it as 2026-11-22") from None
