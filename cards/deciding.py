"""The smallest part of a condition that decides it for one patient, in words: the first part that fails, not the whole sentence.

`not` is carried down as in `plain_words`, so that a part that fails is said as what is true: "no colonoscopy on record".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cards.condition_words import words_of
from cards.conditions import compile_condition
from cards.knowledge import Knowledge
from cards.verdicts import Case, Condition, Vocabulary
from fhir_profiles.findings import Answer, Evidence, Missing
from fhir_profiles.sentences import Sentence, join, say


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition that is no combination of others, and how it stands.

    Args:
        text: what is true of the patient; of a part that is unknown, what is asked.
        because: what in the chart says so.
        missing: what would decide it; or a caveat, where data were not supplied.
    """

    text: str
    because: tuple[Evidence, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Decider:
    """Asks the parts of conditions about one patient.

    Args:
        case: the patient, once every statement was held against them.
        known: the knowledge that the conditions are part of.
        vocabulary: what the conditions may refer to.
    """

    case: Case
    known: Knowledge
    vocabulary: Vocabulary

    def parts(self, trigger: Mapping[str, Any], answer: Answer, *, holds: bool = True) -> tuple[Part, ...]:
        """The parts that make a condition false, or leave it unknown; of several that make it false, the first.

        Args:
            trigger: the condition as it stands in its file.
            answer: what it came to: no or unknown.
            holds: whether it is asked to hold, or not to.
        """
        ((key, value),) = trigger.items()
        if key == "not":
            return self.parts(value, answer, holds=not holds)
        if key == "population":
            return self.parts(self.known.populations[value], answer, holds=holds)
        if key not in ("all", "any"):
            return (self._part(key, value, answer, holds),)
        alike = [node for node in value if self._answer(node, holds) is answer]
        needs_all = (key == "all") is holds
        deciding = alike[:1] if needs_all and answer is Answer.NO else alike
        found = (part for node in deciding for part in self.parts(node, answer, holds=holds))
        return tuple({part.text: part for part in found}.values())

    def _part(self, key: str, value: Any, answer: Answer, holds: bool) -> Part:
        verdict = compile_condition({key: value}, self.vocabulary, key)(self.case)
        is_true = holds if answer is Answer.UNKNOWN else not holds
        return Part(words_of(key, value, is_true, self.known.titles), verdict.because, verdict.missing)

    def _answer(self, node: Mapping[str, Any], holds: bool) -> Answer:
        answer = compile_condition(node, self.vocabulary, "part of a condition")(self.case).answer
        return answer if holds else answer.negated()


def decider(case: Case, known: Knowledge) -> Decider:
    """Who asks the parts of any condition of this knowledge about this patient."""
    populations: dict[str, Condition] = {}
    for name, node in known.populations.items():
        populations[name] = compile_condition(node, Vocabulary(known.definitions, populations), name)
    every = tuple(rule.id for rule in (*known.rules, *known.rules_off))
    return Decider(case, known, Vocabulary(known.definitions, populations, every, known.treatments))


def in_words(parts: tuple[Part, ...]) -> Sentence:
    """The parts in one phrase, each with what in the chart says so."""
    return join("; ", [_with_evidence(part) for part in parts])


def _with_evidence(part: Part) -> str:
    """An absence repeats itself as evidence; only what a resource shows, or a number, says more."""
    shown = [item.text for item in part.because if item.reference or item.text.startswith("age ")]
    return say("{part} ({evidence})", part=part.text, evidence=join(", ", shown[:2])) if shown else part.text
