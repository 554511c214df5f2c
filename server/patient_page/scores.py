"""Classification and improvement score as items that a reader can check; never as a probability (FDA 2026, criterion 3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_profiles.classification import Classification, Score
from fhir_profiles.classification_criteria import criteria
from fhir_profiles.classification_items import AnsweredItem
from fhir_profiles.findings import Answer
from fhir_profiles.improvement import NO_RESPONSE, Improvement, rules
from fhir_profiles.sentences import say, say_number
from server.patient_page.facts import Fact, begin, facts

ANSWER_WORDS = {Answer.YES: say("Met"), Answer.NO: say("Not met"), Answer.UNKNOWN: say("Unknown")}
COLUMN_WORDS = {"without-biopsy": say("without biopsy"), "with-biopsy": say("with biopsy")}
RESPONSE_WORDS = {
    NO_RESPONSE: say("none"),
    "minimal": say("minimal"),
    "moderate": say("moderate"),
    "major": say("major"),
}


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One item: its answer, what it adds in points (a span while it is unknown), and what the answer rests on."""

    title: str
    answer: str
    points: str
    evidence: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ClassificationScore:
    """The 2017 EULAR/ACR classification.

    Args:
        citation, statement: of the criteria, and what they are not.
        result: the score and its class in a sentence; `best` what the unknown items leave open, or empty.
        subgroups: titles of the subgroups that the tree leaves possible.
        met, not_met, unknown: items by their answer.
        notes: what a reader must know before using it.
    """

    citation: str
    statement: str
    result: str
    best: str
    subgroups: tuple[str, ...]
    met: tuple[ScoredItem, ...]
    not_met: tuple[ScoredItem, ...]
    unknown: tuple[ScoredItem, ...]
    other_explanations: tuple[Fact, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImprovementScore:
    """The 2016 Total Improvement Score."""

    citation: str
    result: str
    measures: tuple[ScoredItem, ...]
    notes: tuple[str, ...]


def classification_score(classification: Classification | None) -> ClassificationScore | None:
    """The classification for people; None where the chart raises no question of myositis."""
    if classification is None:
        return None
    known, score = criteria(), classification.score
    items = {answer: tuple(_items(classification, answer)) for answer in Answer}
    return ClassificationScore(
        citation=known.source["citation"],
        statement=known.statement,
        result=_result(score),
        best=_best(classification),
        subgroups=tuple(known.subgroups[code] for code in classification.subgroups),
        met=items[Answer.YES],
        not_met=items[Answer.NO],
        unknown=items[Answer.UNKNOWN],
        other_explanations=facts(classification.other_explanations),
        notes=(*classification.notes, *known.caveats),
    )


def _result(score: Score) -> str:
    """The class; where unknown items decide whether the criteria are met, that it is open rather than "below"."""
    if score.unknown and not score.minimum_class.meets_criteria and score.best_class.meets_criteria:
        least, most = score.minimum / 10, score.best / 10
        return say("not classifiable from these data: {least} to {most} points", least=least, most=most)
    column, words = COLUMN_WORDS[score.column], score.minimum_class.words
    return say("{points} points {column}: {words}", points=score.minimum / 10, column=column, words=words)


def _best(classification: Classification) -> str:
    score = classification.score
    if not score.unknown:
        return ""
    count = say_number("{number} item is unknown", "{number} items are unknown", len(score.unknown))
    return say(
        "{count}, so this is a minimum; with all of them met it would be {points} points: {words}",
        count=count,
        points=score.best / 10,
        words=score.best_class.words,
    )


def _items(classification: Classification, answer: Answer) -> Iterable[ScoredItem]:
    for item in classification.items:
        if item.answer is answer:
            yield ScoredItem(begin(item.title), ANSWER_WORDS[answer], _points(item, classification.column), facts(item.evidence))


def _points(item: AnsweredItem, column: str) -> str:
    return _span(*item.points[column]) if column in item.points else say("counts with a biopsy only")


def _span(least: int, most: int) -> str:
    if least == most:
        return say("{points}", points=least / 10)
    return say("{least} to {most}", least=least / 10, most=most / 10)


def improvement_score(improvement: Improvement | None) -> ImprovementScore | None:
    """The improvement for people; None unless all six measures are on record twice."""
    if improvement is None:
        return None
    return ImprovementScore(
        citation=rules()["source"]["citation"],
        result=say(
            "{points} of 100 points, response: {responses}",
            points=_span(improvement.minimum, improvement.maximum),
            responses=_responses(improvement),
        ),
        measures=tuple(ScoredItem(begin(one.title), "", _span(*one.points), facts(one.evidence)) for one in improvement.measures),
        notes=(rules()["basis"], *improvement.notes),
    )


def _responses(improvement: Improvement) -> str:
    least, most = RESPONSE_WORDS[improvement.least_response], RESPONSE_WORDS[improvement.most_response]
    return least if least == most else say("{least} to {most}", least=least, most=most)
