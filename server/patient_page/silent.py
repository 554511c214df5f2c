"""What was considered for this patient and says nothing, with the reason (U-13: the page shows what was checked)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cards.considered import Considered, Silence
from cards.knowledge import Knowledge
from cards.wording import strength_words
from fhir_profiles.sentences import say
from server.patient_page.facts import Fact, begin, facts
from server.patient_page.statements import guideline_link

KIND_WORDS = {
    Silence.SATISFIED: say("Done, ordered, followed, or not due yet"),
    Silence.NO: say("Not for this patient"),
    Silence.UNKNOWN: say("It cannot be told"),
    Silence.NOT_COMPUTED: say("About no patient in particular"),
    Silence.ELSEWHERE: say("Said where the drug is chosen or written"),
    Silence.OFF: say("Switched off"),
}


@dataclass(frozen=True, slots=True)
class SilentStatement:
    """One statement and why it says nothing."""

    id: str
    says: str
    link: str
    source: str
    strength: str
    topic: str
    reason: str
    because: tuple[Fact, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SilentKind:
    """The statements that are silent for one kind of reason, by topic in the order of cards."""

    code: str
    title: str
    statements: tuple[SilentStatement, ...]


def silent(found: Sequence[Considered], known: Knowledge) -> tuple[SilentKind, ...]:
    """Everything that was held against the patient and says nothing, by the kind of reason."""
    kinds = (SilentKind(kind.value, words, tuple(_of(kind, found, known))) for kind, words in KIND_WORDS.items())
    return tuple(kind for kind in kinds if kind.statements)


def _of(kind: Silence, found: Iterable[Considered], known: Knowledge) -> Iterable[SilentStatement]:
    for one in sorted((one for one in found if one.answer is kind), key=lambda one: known.topics[one.topic].rank):
        yield SilentStatement(
            id=one.id,
            says=begin(one.says),
            link=guideline_link(one.id, known),
            source=one.source.dated,
            strength=strength_words(one.strength),
            topic=known.topics[one.topic].display,
            reason=begin(one.reason),
            because=facts(one.because),
            missing=tuple(begin(item.text) for item in one.missing),
        )
