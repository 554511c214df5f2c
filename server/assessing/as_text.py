"""The evaluation for people at a terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from cards.to_cards import EXPLANATION
from fhir_profiles.assessment import Assessment
from fhir_profiles.classification_criteria import criteria
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Evidence
from fhir_profiles.improvement import rules
from fhir_profiles.record import Refusal
from fhir_profiles.refusals import in_words
from server.evaluation import Evaluation

LIMITS = "Decision support, not a medical device and not clinically validated."


def assess_text(evaluation: Evaluation) -> str:
    """The evaluation in words: who, what it is, where treatment stands, the cards, what else was considered, what was wrong."""
    lines = [
        _headline(evaluation.assessment),
        *_section("Phenotype", _phenotypes(evaluation.assessment)),
        *_section("Severity", _severity(evaluation.assessment)),
        *_section("Antibodies", (str(antibody) for antibody in evaluation.assessment.antibodies.values())),
        *_section("Treatment", _treatment(evaluation.assessment)),
        *_section("Declined by the patient", (_refusal(refusal) for refusal in evaluation.assessment.declined)),
        *_section("Classification", _classification(evaluation.assessment)),
        *_section("Improvement", _improvement(evaluation.assessment)),
        *_section("Cards", _cards(evaluation)),
        *_section("Recommendations", _recommendations(evaluation)),
        *_section("Issues in the data", (f"{issue.reference}: {issue.problem}" for issue in evaluation.issues)),
        "",
        f"Knowledge {evaluation.knowledge.version}. {LIMITS}",
    ]
    return "\n".join(_printable(line) for line in lines)


def _headline(assessment: Assessment) -> str:
    youngest, oldest = assessment.ages
    age = f"{youngest} years" if youngest == oldest else f"{youngest} to {oldest} years"
    who = [assessment.sex or "sex not known", "age not known" if youngest is None else age]
    day = DateInterval(assessment.as_of, assessment.as_of)
    return f"Patient {assessment.record.patient_id or 'without id'}: {', '.join(who)}, as of {day}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    content = list(lines)
    if content:
        yield ""
        yield title
        yield from (f"  {line}" for line in content)


def _phenotypes(assessment: Assessment) -> Iterator[str]:
    if not assessment.phenotypes:
        yield "no myositis found in this data"
    for phenotype in assessment.phenotypes:
        yield f"{phenotype.title} ({phenotype.certainty.value})"
        yield from _because(phenotype.evidence)


def _severity(assessment: Assessment) -> Iterator[str]:
    if assessment.phenotypes:
        yield assessment.severity.value
        yield from _because(assessment.severity.evidence)
        yield from (f"  - missing: {missing.text}" for missing in assessment.severity.missing)


def _treatment(assessment: Assessment) -> Iterator[str]:
    treatment = assessment.treatment
    if not assessment.phenotypes and not treatment.of_the_disease:
        return
    yield f"{treatment.phase}, {treatment.line} of 3 lines used"
    for course in treatment.of_the_disease.values():
        yield f"{course.title}: {course.outcome.value}"
        yield from _because(course.evidence)


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.title}: {in_words(refusal)} [{refusal.reference}]"


def _classification(assessment: Assessment) -> Iterator[str]:
    classification = assessment.classification
    if classification is None:
        return
    score, rules = classification.score, criteria()
    column = score.column.replace("-", " ")
    yield f"{rules.source['citation']}: {score.minimum / 10} points {column}, {score.minimum_class.words}"
    if score.unknown:
        count = f"{len(score.unknown)} {'item' if len(score.unknown) == 1 else 'items'} unknown"
        yield f"{count}: the score is a minimum; best reachable {score.best / 10}, {score.best_class.words}"
    if classification.subgroups:
        yield f"subgroup: {' or '.join(rules.subgroups[code] for code in classification.subgroups)}"
    yield from classification.notes
    yield from _because(classification.other_explanations)
    yield rules.statement


def _improvement(assessment: Assessment) -> Iterator[str]:
    improvement = assessment.improvement
    if improvement is None:
        return
    points, responses = (
        " to ".join(dict.fromkeys(pair))
        for pair in (
            (str(improvement.minimum / 10), str(improvement.maximum / 10)),
            (improvement.least_response, improvement.most_response),
        )
    )
    yield f"Total Improvement Score {points} of 100, response: {responses} ({improvement.thresholds} thresholds)"
    yield from (rules()["basis"], *improvement.notes)


def _because(evidence: Iterable[Evidence]) -> Iterator[str]:
    for item in evidence:
        yield f"  - {item.text}" + (f" [{item.reference}]" if item.reference else "")


def _cards(evaluation: Evaluation) -> Iterator[str]:
    if not evaluation.cards:
        yield "none"
    for number, card in enumerate(evaluation.cards, start=1):
        yield f"{number}. [{card['indicator']}] {card['summary']}"
        yield from (f"   - suggestion: {suggestion['label']}" for suggestion in card.get("suggestions", ()))
        explanation: dict[str, Any] = card["extension"][EXPLANATION]
        yield from (f"   - missing: {missing['text']}" for missing in explanation.get("missing", ()))
        yield f"   - source: {card['source']['label']}"


def _recommendations(evaluation: Evaluation) -> Iterator[str]:
    for recommendation in evaluation.recommendations:
        holds = "holds" if recommendation.holds.value == "yes" else "could hold"
        yield f"{recommendation.id}: {holds} ({recommendation.strength})"


def _printable(line: str) -> str:
    """What comes from the file must not steer the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
