"""What is missing, who asks for it, and what each answer would change, worked out by supposing it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cards.recommendation import Recommendation
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Missing
from fhir_profiles.hypotheses import Hypothesis, Supposition, hypotheses
from fhir_profiles.sentences import Sentence, join, say, say_number
from server.patient_page.difference import ChangedStatement, Difference, difference
from server.patient_page.facts import begin
from server.patient_page.opened import Opened
from server.patient_page.opposed import opposed
from server.patient_page.supposing import as_it_is, can_suppose, suppose

MOST_EVALUATED = 16
"""Data whose answers are worked out while the page is made; what follows is still offered to be supposed."""

_MOST_NAMED = 2


@dataclass(frozen=True, slots=True)
class Consequence:
    """What one answer would change.

    Args:
        answer: in words.
        supposition: as it stands in the address of the page.
        changes: in sentences.
    """

    answer: str
    supposition: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingDatum:
    """One datum that the chart does not give.

    Args:
        text: what is missing, and why it is not known.
        asked_by: the statements that ask for it, and their number in all.
        count: how many statements ask for it.
        title: the datum that would be supposed; empty where none can be.
        consequences: what each answer would change; empty where nothing can be supposed.
    """

    text: str
    asked_by: tuple[str, ...]
    count: int
    title: str
    consequences: tuple[Consequence, ...]


def missing_data(opened: Opened) -> tuple[MissingDatum, ...]:
    """What the recommendations and the severity ask for, the most asked for first."""
    evaluation = opened.evaluation
    asked = _asked(evaluation.recommendations, evaluation.assessment)
    in_order = sorted(asked.items(), key=lambda item: -len(item[1]))
    found = []
    left = MOST_EVALUATED if can_suppose(opened) else 0
    for missing, by in in_order:
        hypothesis = _answering(missing)
        consequences = _consequences(opened, hypothesis) if hypothesis and left > 0 else ()
        left -= bool(consequences)
        title = hypothesis.title if hypothesis else ""
        found.append(MissingDatum(begin(missing.text), tuple(by[:_MOST_NAMED]), len(by), title, consequences))
    return tuple(found)


def _asked(recommendations: Iterable[Recommendation], assessment: Assessment) -> dict[Missing, list[str]]:
    """What is missing, and the statements that ask for it."""
    asked: dict[Missing, list[str]] = {}
    if assessment.phenotypes:
        for item in assessment.severity.missing:
            asked.setdefault(item, []).append(say("severity of the disease"))
    for recommendation in recommendations:
        for item in _missing_of(recommendation):
            by = asked.setdefault(item, [])
            if recommendation.says not in by:
                by.append(recommendation.says)
    return asked


def _missing_of(recommendation: Recommendation) -> Iterator[Missing]:
    yield from recommendation.missing
    for option in recommendation.options:
        if option.not_offered is None:
            for caution in option.undecided:
                yield from caution.missing
            if option.unchecked:
                yield from option.unchecked.missing


def _answering(missing: Missing) -> Hypothesis | None:
    """The hypothesis that supplies a datum: the one that the datum is coded by, before one that merely answers it too."""
    able = [one for one in hypotheses().values() if missing.concept in one.supplies]
    return min(able, key=lambda one: one.concept != missing.concept, default=None)


def _consequences(opened: Opened, hypothesis: Hypothesis) -> tuple[Consequence, ...]:
    return tuple(
        Consequence(answer.title, supposed.id, _in_short(difference_of(opened, supposed)))
        for answer in hypothesis.answers.values()
        for supposed in [Supposition(hypothesis, answer)]
    )


def difference_of(opened: Opened, *supposed: Supposition) -> Difference:
    """What suppositions would change."""
    before, after = as_it_is(opened), suppose(opened, supposed)
    changed = difference(before, after, opened.basis.knowledge)
    return replace(changed, opposed=opposed(supposed, before.assessment, after.assessment))


def _in_short(changed: Difference) -> tuple[str, ...]:
    """The phenotype and severity, then how many statements would come, go and change, with the first of each."""
    if changed.opposed:
        return changed.opposed
    if changed.is_advice_the_same:
        return (*changed.findings[:_MOST_NAMED], say("No advice would change."))
    lines = list(changed.findings[:_MOST_NAMED])
    if changed.appears:
        lines.append(
            _counted(say_number("{number} statement more", "{number} statements more", len(changed.appears)), changed.appears)
        )
    if changed.goes:
        lines.append(_counted(say_number("{number} statement less", "{number} statements less", len(changed.goes)), changed.goes))
    if changed.changes:
        count = say_number("{number} statement would change", "{number} statements would change", len(changed.changes))
        lines.append(_counted(count, changed.changes))
    lines += [say("Options: {change}", change=line) for line in changed.options[:_MOST_NAMED]]
    return tuple(lines)


def _counted(count: Sentence, statements: tuple[ChangedStatement, ...]) -> Sentence:
    named = join("; ", [say("{says} ({source})", says=one.says, source=one.source) for one in statements[:_MOST_NAMED]])
    more = len(statements) > _MOST_NAMED
    return say("{count}: {named}; …", count=count, named=named) if more else say("{count}: {named}", count=count, named=named)
