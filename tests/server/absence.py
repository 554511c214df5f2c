"""What cards claim not to be there: the wording that must never rest on an input that is unknown (SAF-08)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.server.charts import Json

_CLAIM = re.compile(
    r"\bno (?P<none>[^.;:|\n]{1,120}?) (?:is |are )?on (?:record|the list)(?P<ordered> \(neither done nor ordered\))?"
    r"|(?P<not_there>[^.;:|\n]{1,160}?) (?:is |are )?not on record"
    r"|(?P<untested>[^.;:|\n]{1,60}): no result on record",
    re.IGNORECASE,
)
_UNCHECKED = re.compile(r"could not be checked, as the data are incomplete: [^;|\n]*")
"""Asks whether something is on record, and claims nothing."""
_ENDS = re.compile(r"[.;|\n]")
"""No claim goes beyond one of these."""

_DONE = {"Procedure", "DiagnosticReport"}
_TESTED = {"Observation", "DiagnosticReport"}
_ORDERED = {"ServiceRequest"}
_DRUGS = {"MedicationRequest", "MedicationStatement"}
_PROBLEM = {"Condition"}
_NAME_ONLY: set[str] = set()

_SHOWN_BY = {
    r"glucocorticoid|steroid-sparing|immunosuppressant|first-line treatment|prophylaxis|drug that prevents": _DRUGS,
    r"TPMT|NUDT15|tuberculosis test|hepatitis B|interferon-gamma|HbA1c|immunoglobulin G": {"Observation"},
    r"measure of activity": {"Observation"},
    r"blood count|kidney function|liver tests?|anti-[a-z]|myositis(-specific)? antibod": _TESTED,
    r"lung function test|pulmonary function test|DXA|bone density": _DONE | {"Observation"} | _ORDERED,
    r"CT of|PET-CT|ultrasound|mammography|colonoscopy|urological|gynaecological|electrocardiogram|X-ray": _DONE | _ORDERED,
    r"swallowing assessment|retinal examination": _DONE | _ORDERED,
    r"referral": _ORDERED,
    r"physiotherapy": {"Procedure"} | _ORDERED,
    r"primary screen": _DONE | _ORDERED,
    r"muscle weakness|active disease": _PROBLEM | {"Observation"},
    r"counselling": _PROBLEM,
    r"^pregnancy$|pregnancy test": {"Observation"},
    r"lung disease|malignancy|cancer$": _PROBLEM,
    r"cancer panel|severity": _NAME_ONLY,
}
"""What kinds of input could show that such a claim is wrong, written out by hand."""


NEVER_CLAIMED = {
    "patient": "one resource; where it is missing, cards say that sex and age are unknown",
    "medicationAdministrations": "optional: counts only where something is found",
    "allergyIntolerances": "optional: counts only where something is found",
}
"""Prefetch keys of which no card says that nothing of theirs is there, and why not."""


@dataclass(frozen=True, slots=True)
class Claim:
    """That something is not there.

    Args:
        words: what, in the words of the card.
        kinds: resource types that could show it; None if the table does not know the words.
    """

    words: str
    kinds: frozenset[str] | None


def every_claim(cards: Iterable[Json]) -> Iterator[Claim]:
    """All that cards say is not there: in their summaries, details, reasons, and what they miss."""
    for text in _texts(cards):
        yield from _claims_in(text)


def _claims_in(text: str) -> Iterator[Claim]:
    for piece in _ENDS.split(_UNCHECKED.sub("", text)):
        yield from _claims_in_piece(piece)


@cache
def _claims_in_piece(piece: str) -> tuple[Claim, ...]:
    """What one sentence or line claims; hundreds of charts are told the same."""
    return tuple(_claim(found) for found in _CLAIM.finditer(piece))


def _claim(found: re.Match[str]) -> Claim:
    words = (found["none"] or found["not_there"] or found["untested"]).strip()
    rows = [kinds for pattern, kinds in _SHOWN_BY.items() if re.search(pattern, words, re.IGNORECASE)]
    kinds = frozenset[str]().union(*rows, _ORDERED if found["ordered"] else ())
    return Claim(words, kinds if rows else None)


def claims_of_absence(cards: Iterable[Json], kinds: Iterable[str]) -> list[str]:
    """What the cards claim not to be there, though one of these kinds of input could show it.

    Args:
        cards: CDS Hooks cards.
        kinds: resource types.
    """
    return [claim.words for claim in every_claim(cards) if claim.kinds and claim.kinds & set(kinds)]


def _texts(cards: Iterable[Json]) -> Iterator[str]:
    for card in cards:
        explanation = card["extension"]["org.myositis-cds.explanation"]
        yield card["summary"]
        yield card.get("detail", "")
        yield from (item["text"] for part in ("because", "missing") for item in explanation.get(part, ()))


def orders_of(cards: Iterable[Json]) -> set[str]:
    """What the cards offer to order, in words."""
    resources = [action["resource"] for card in cards for one in card.get("suggestions", ()) for action in one["actions"]]
    return {(resource.get("code") or resource["medicationCodeableConcept"])["text"] for resource in resources}
