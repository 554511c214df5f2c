"""The 2017 EULAR/ACR classification of one patient: classification, not a diagnosis (clinical/phenotypes.md section 4).

Items that nobody recorded count nothing, so a score is a minimum; the best reachable score counts them in full. The class goes by
the score with the printed cut-offs, in whole tenths. Without a rash of dermatomyositis the original instructions ask for biopsy
features before classifying, so such a patient meets the criteria only with one of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fhir_profiles.classification_criteria import COLUMN_CODES, WITH_BIOPSY, WITHOUT_BIOPSY, Branch, Column, Criteria, criteria
from fhir_profiles.classification_items import BIOPSY_TEST, AnsweredItem, find_findings, find_items
from fhir_profiles.code_words import word
from fhir_profiles.features import Ages
from fhir_profiles.findings import Answer, Evidence, Finding
from fhir_profiles.onset_age import find_onset_age
from fhir_profiles.phenotypes import Phenotype
from fhir_profiles.record import PatientRecord
from fhir_profiles.sentences import say
from fhir_profiles.treatment import Treatment


class IimClass(StrEnum):
    """The classes of the criteria (IIM: idiopathic inflammatory myopathy)."""

    NOT_IIM = "not-iim"
    POSSIBLE = "possible"
    PROBABLE = "probable"
    DEFINITE = "definite"

    @property
    def words(self) -> str:
        """For a sentence about a score."""
        if self is IimClass.NOT_IIM:
            return say("below the cut-off for inflammatory myopathy")
        return say("{certainty} inflammatory myopathy", certainty=word(self.value))

    @property
    def meets_criteria(self) -> bool:
        """Probable is the recommended minimum."""
        return self in (IimClass.PROBABLE, IimClass.DEFINITE)


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one column, in tenths.

    Args:
        column: `without-biopsy` or `with-biopsy`.
        minimum: with every unknown item counted as nothing.
        best: with every unknown item counted in full.
        minimum_class, best_class: their classes.
        unknown: the items that are not known.
    """

    column: str
    minimum: int
    best: int
    minimum_class: IimClass
    best_class: IimClass
    unknown: tuple[AnsweredItem, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """How the criteria classify one patient.

    Args:
        items: every item with its answer, the age at onset first.
        scores: by column.
        column: the column that applies; with biopsy once a histological finding is known, present or absent.
        needs_biopsy_features: no rash of dermatomyositis and no biopsy feature is on record, so it is too early to classify.
        biopsy_not_read: a muscle biopsy is on record and none of its findings is.
        subgroups: those that the tree leaves possible, one where it can be walked; none unless the criteria are met.
        other_explanations: other muscle diseases on the problem list; the criteria ask that none explains the findings better.
    """

    items: tuple[AnsweredItem, ...]
    scores: Mapping[str, Score]
    column: str
    needs_biopsy_features: bool
    biopsy_not_read: bool
    subgroups: tuple[str, ...]
    other_explanations: tuple[Evidence, ...] = ()

    @property
    def score(self) -> Score:
        """The score of the column that applies."""
        return self.scores[self.column]

    @property
    def meets_criteria(self) -> bool:
        """The minimum score is probable or more, and nothing more is needed before classifying."""
        return self.score.minimum_class.meets_criteria and not self.needs_biopsy_features

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before using the score."""
        words = criteria().notes
        too_early = self.score.minimum_class.meets_criteria and self.needs_biopsy_features
        held = {
            "needs-biopsy-features": too_early,
            "biopsy-not-read": self.biopsy_not_read,
            "other-explanation": bool(self.other_explanations),
        }
        return tuple(words[code] for code, holds in held.items() if holds)


def classify(record: PatientRecord, ages: Ages, phenotypes: tuple[Phenotype, ...], treatment: Treatment) -> Classification | None:
    """Classify one patient, or None where the chart raises no question of myositis.

    Args:
        record: the chart.
        ages: youngest and oldest possible age.
        phenotypes: those that hold, of any certainty.
        treatment: for the response to treatment, which the tree asks for.
    """
    if record.is_mismatched:
        return None
    rules = criteria()
    onset = find_onset_age(record, phenotypes, rules.first_symptoms)
    findings = find_findings(record, rules, ages, treatment, onset)
    if not phenotypes and not any(findings[item.code].is_present for item in rules.items if not item.is_common):
        return None
    return _classification(record, rules, find_items(rules, findings, onset), findings)


def _classification(
    record: PatientRecord, rules: Criteria, items: tuple[AnsweredItem, ...], findings: Mapping[str, Finding]
) -> Classification:
    scores = {code: score(items, rules.columns[code]) for code in COLUMN_CODES}
    has_histology = any(findings[item.code].value is not Answer.UNKNOWN for item in rules.items if item.is_of_biopsy)
    column = WITH_BIOPSY if has_histology else WITHOUT_BIOPSY
    needs_biopsy = not findings["dermatomyositis-rash"].is_present and not findings["biopsy-feature"].is_present
    met = scores[column].minimum_class.meets_criteria and not needs_biopsy
    return Classification(
        items=items,
        scores=scores,
        column=column,
        needs_biopsy_features=needs_biopsy,
        biopsy_not_read=not has_histology and bool(record.events.get(BIOPSY_TEST) or record.results.get(BIOPSY_TEST)),
        subgroups=walk(rules.tree, lambda code: findings[code].value) if met else (),
        other_explanations=_other_explanations(record, rules),
    )


def _other_explanations(record: PatientRecord, rules: Criteria) -> tuple[Evidence, ...]:
    found: dict[str, Evidence] = {}
    for concept in rules.other_explanations:
        for fact in record.diagnoses.get(concept, ()):
            words = say("{title} on the problem list", title=concept.replace("_", " "))
            found.setdefault(fact.reference, Evidence(words, fact.reference))
    return tuple(found.values())


def score(items: Iterable[AnsweredItem], column: Column) -> Score:
    """Add the items up in one column."""
    counted = [item for item in items if column.code in item.points]
    minimum = sum(item.points[column.code][0] for item in counted)
    best = sum(item.points[column.code][1] for item in counted)
    unknown = tuple(item for item in counted if item.points[column.code][0] != item.points[column.code][1])
    return Score(column.code, minimum, best, class_of(minimum, column), class_of(best, column), unknown)


def class_of(tenths: int, column: Column) -> IimClass:
    """The class of a score, by the printed cut-offs and never by the probability formula."""
    if tenths >= column.definite:
        return IimClass.DEFINITE
    if tenths >= column.probable:
        return IimClass.PROBABLE
    return IimClass.POSSIBLE if tenths >= column.possible else IimClass.NOT_IIM


def walk(branch: Branch | str, answer_of: Callable[[str], Answer]) -> tuple[str, ...]:
    """The subgroups that the answers leave possible; an unknown answer keeps both ways open."""
    if isinstance(branch, str):
        return (branch,)
    answer = answer_of(branch.ask)
    yes = walk(branch.if_yes, answer_of) if answer is not Answer.NO else ()
    no = walk(branch.if_no, answer_of) if answer is not Answer.YES else ()
    return tuple(dict.fromkeys(yes + no))
