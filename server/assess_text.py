"""The evaluation for people at a terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from cards.to_cards import EXPLANATION
from fhir_profiles.assessment import Assessment
from fhir_profiles.dates import DateInterval
from fhir_profiles.findings import Evidence
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
        *_section("Cards", _cards(evaluation)),
        *_section("Recommendations", _recommendations(evaluation)),
        *_section("Issues in the data", (f"{issue.reference}: {issue.problem}" for issue in evaluation.issues)),
        "",
        f"Knowledge {evaluation.knowledge_version}. {LIMITS}",
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
    if not assessment.phenotypes and not treatment.courses:
        return
    yield f"{treatment.phase}, {treatment.line} of 3 lines used"
    for course in treatment.courses.values():
        yield f"{course.title}: {course.outcome.value}"
        yield from _because(course.evidence)


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
