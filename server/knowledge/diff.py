"""Comparing two knowledges: whose cards change, and how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fhir_profiles.findings import Answer
from server.assessing.chart_input import evaluate_chart
from server.basis import Basis
from server.errors import RequestRefusedError
from server.evaluation import Evaluation
from server.json_input import parse_json

Card = Mapping[str, Any]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardChange:
    """A card that one of the two has and the other has not, or has otherwise.

    Args:
        topic: of the card.
        old, new: the card, or None where there is none.
    """

    topic: str
    old: Card | None
    new: Card | None

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @property
    def parts(self) -> tuple[str, ...]:
        """What differs in a card that both have."""
        if self.old is None or self.new is None:
            return ()
        old, new = _said(self.old), _said(self.new)
        return tuple(part for part in old if old[part] != new[part])


@dataclass(frozen=True, slots=True)
class PatientChange:
    """What changes for one patient.

    Args:
        patient: name of the file, without its ending.
        cards: cards that change.
        gained, lost: ids of statements that hold now and did not before, and the other way round.
    """

    patient: str
    cards: tuple[CardChange, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes between two knowledges.

    Args:
        changes: patients of whom a card or a statement changes.
        patients: how many were compared.
        versions: of the two knowledges.
    """

    changes: tuple[PatientChange, ...]
    patients: int
    versions: tuple[str, str]

    @property
    def of_cards(self) -> tuple[PatientChange, ...]:
        """Patients whose cards change."""
        return tuple(change for change in self.changes if change.cards)

    @property
    def of_statements_only(self) -> tuple[PatientChange, ...]:
        """Patients of whom other statements hold, while every card says the same."""
        return tuple(change for change in self.changes if not change.cards)


def compare(old: Basis, new: Basis, folder: Path, as_of: date) -> Difference:
    """Evaluate every patient of a folder twice.

    Args:
        old, new: what the evaluations rest on.
        folder: holds one FHIR Bundle, resource or list to each `.json` file.
        as_of: the day of the evaluations.

    Raises:
        RequestRefusedError: a file is not FHIR, or holds several patients.
    """
    files = sorted(folder.glob("*.json"))
    changes = (_compared(file, old, new, as_of) for file in files)
    return Difference(
        tuple(change for change in changes if change.cards or change.gained or change.lost),
        len(files),
        (old.knowledge.version, new.knowledge.version),
    )


def _compared(file: Path, old: Basis, new: Basis, as_of: date) -> PatientChange:
    try:
        chart = parse_json(file.read_bytes())
        before, after = (evaluate_chart(chart, as_of=as_of, patient_id=None, basis=basis) for basis in (old, new))
    except RequestRefusedError as error:
        raise type(error)(f"{file}: {error.text}") from None
    held, holds = _held(before), _held(after)
    return PatientChange(
        file.stem,
        tuple(_card_changes(before, after)),
        tuple(name for name in holds if name not in held),
        tuple(name for name in held if name not in holds),
    )


def _held(evaluation: Evaluation) -> dict[str, None]:
    return dict.fromkeys(r.id for r in evaluation.recommendations if r.holds is Answer.YES)


def _card_changes(before: Evaluation, after: Evaluation) -> Iterator[CardChange]:
    old, new = ({card["source"]["topic"]["code"]: card for card in one.cards} for one in (before, after))
    for topic in dict.fromkeys((*old, *new)):
        change = CardChange(topic, old.get(topic), new.get(topic))
        if change.kind != "changed" or change.parts:
            yield change


def _said(card: Card) -> dict[str, Any]:
    """What a card says to its reader; uuids and the version of the knowledge are not part of that."""
    return {
        "summary": card["summary"],
        "indicator": card["indicator"],
        "suggestions": [suggestion["label"] for suggestion in card.get("suggestions", ())],
        "source": card["source"]["label"],
        "detail": card["detail"],
    }


# --- for people and for machines --------------------------------------------------------------------------------------------


def as_text(difference: Difference) -> str:
    """The difference in words."""
    blocks = [_patient_text(change) for change in difference.of_cards]
    if others := difference.of_statements_only:
        blocks.append("Other statements hold, and every card says the same:\n" + "\n".join(map(_statements_text, others)))
    count = len(difference.of_cards)
    blocks.append(f"The cards of {count} of {difference.patients} patient{'s' * (difference.patients != 1)} change.")
    return "\n\n".join(blocks)


def _patient_text(change: PatientChange) -> str:
    lines = [change.patient, *(line for card in change.cards for line in _card_text(card))]
    lines += [f"  now holds: {', '.join(change.gained)}"] if change.gained else []
    lines += [f"  holds no longer: {', '.join(change.lost)}"] if change.lost else []
    return "\n".join(lines)


def _card_text(change: CardChange) -> Iterator[str]:
    if change.old is None or change.new is None:
        (card,) = (one for one in (change.old, change.new) if one)
        yield f"  {change.kind} {change.topic} [{card['indicator']}]: {card['summary']}"
        return
    yield f"  changed {change.topic}: {', '.join(change.parts)}"
    old, new = _said(change.old), _said(change.new)
    for part in change.parts:
        if part == "suggestions":
            yield from (f"    - {label}" for label in old[part] if label not in new[part])
            yield from (f"    + {label}" for label in new[part] if label not in old[part])
        elif part != "detail":
            yield f"    - {old[part]}"
            yield f"    + {new[part]}"


def _statements_text(change: PatientChange) -> str:
    words = [f"+{name}" for name in change.gained] + [f"-{name}" for name in change.lost]
    return f"  {change.patient}: {', '.join(words)}"


def as_json(difference: Difference) -> Json:
    """The difference for machines."""
    old, new = difference.versions
    return {
        "oldVersion": old,
        "newVersion": new,
        "patients": difference.patients,
        "changed": [_patient_json(change) for change in difference.of_cards],
        "statementsOnly": [_patient_json(change) for change in difference.of_statements_only],
    }


def _patient_json(change: PatientChange) -> Json:
    return {
        "patient": change.patient,
        "cards": [_card_json(card) for card in change.cards],
        "gained": list(change.gained),
        "lost": list(change.lost),
    }


def _card_json(change: CardChange) -> Json:
    return {
        "topic": change.topic,
        "change": change.kind,
        "parts": list(change.parts),
        "old": None if change.old is None else _said(change.old),
        "new": None if change.new is None else _said(change.new),
    }
