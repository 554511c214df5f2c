"""What MRC grades say about the weakness items of the 2017 EULAR/ACR criteria, at any time in the disease course.

The item asks for objective, symmetric, usually progressive weakness. Read as: a grade counts by day; where a group has several
grades on one day they are its sides, and the group is weak only if each is below 5 (one weak side leaves the item open). A single
grade stands for both sides, because charts seldom name one. Progression is not asked for ("usually"). Weak on one day is enough;
the item is ruled out only if every group of the limb was graded, and was full each time.
"""

from collections.abc import Iterable, Mapping

from fhir_profiles.classification_criteria import Grading
from fhir_profiles.dates import DateInterval
from fhir_profiles.features import absence
from fhir_profiles.findings import Answer, Evidence, Finding, Standing
from fhir_profiles.record import PatientRecord, Result
from fhir_profiles.wordings import graded_strength

FULL = 5.0

Day = DateInterval | None
Grades = dict[Day, list[tuple[float, Result]]]


def grade_findings(record: PatientRecord, gradings: Mapping[str, Grading]) -> dict[str, Finding]:
    """The findings that grades give.

    Args:
        record: the chart.
        gradings: which groups answer which finding.

    Returns:
        A finding for each; without any usable grade it is not recorded (or not supplied, or failed).
    """
    return {code: _finding(record, code, grading) for code, grading in gradings.items()}


def _finding(record: PatientRecord, code: str, grading: Grading) -> Finding:
    compared = _compare(record, grading) if grading.than else _weak(record, grading)
    for standing, wanted in ((Standing.PRESENT, Answer.YES), (Standing.UNCLEAR, Answer.UNKNOWN), (Standing.RULED_OUT, Answer.NO)):
        evidence = tuple(dict.fromkeys(item for answer, items in compared for item in items if answer is wanted))
        if any(answer is wanted for answer, _ in compared):
            return Finding(code, code, standing, evidence)
    return Finding(code, code, absence(record, ("Observation",)))


Part = tuple[Answer, tuple[Evidence, ...]]


def _weak(record: PatientRecord, grading: Grading) -> list[Part]:
    by_group = {group: _grades(record, (group,)) for group in grading.weak}
    parts = [_weak_on(same_day) for grades in by_group.values() for same_day in grades.values()]
    is_complete = all(by_group.values())
    if not is_complete and grading.whole:
        whole = [_weak_on(same_day) for same_day in _grades(record, (grading.whole,)).values()]
        parts += [(Answer.NO if answer is Answer.NO else Answer.UNKNOWN, evidence) for answer, evidence in whole]
        is_complete = bool(whole)
    if is_complete:
        return parts
    return [(Answer.UNKNOWN if answer is Answer.NO else answer, evidence) for answer, evidence in parts]


def _weak_on(same_day: list[tuple[float, Result]]) -> Part:
    """Weak if every grade of the day is below 5, full if none is; one weak side of two leaves it open."""
    weak = [grade < FULL for grade, _ in same_day]
    answer = Answer.YES if all(weak) else Answer.UNKNOWN if any(weak) else Answer.NO
    return answer, _evidence(same_day)


def _compare(record: PatientRecord, grading: Grading) -> list[Part]:
    """The weakest of the one side against the weakest of the other, on each day on which both were graded."""
    first, second = _grades(record, grading.weaker), _grades(record, grading.than)
    parts = []
    for day in first.keys() & second.keys():
        if day is None or not day.is_exact:
            continue
        one, other = min(first[day], key=_by_grade), min(second[day], key=_by_grade)
        parts.append((Answer.YES if one[0] < other[0] else Answer.NO, _evidence([one, other])))
    return sorted(parts, key=lambda part: part[1][0].reference)


def _by_grade(graded: tuple[float, Result]) -> tuple[float, str]:
    return graded[0], graded[1].reference


def _grades(record: PatientRecord, groups: Iterable[str]) -> Grades:
    """Usable grades of these groups by day, newest day first; an undated grade is a day of its own kind."""
    by_day: Grades = {}
    for group in groups:
        for result in record.results.get(group, ()):
            quantity = result.quantity
            if quantity and quantity.comparator is None and 0 <= quantity.value <= FULL:
                by_day.setdefault(result.when, []).append((quantity.value, result))
    return by_day


def _evidence(graded: Iterable[tuple[float, Result]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(graded_strength(_group(result), grade, result.when), result.reference) for grade, result in graded)


def _group(result: Result) -> str:
    return next(concept for concept in result.concepts if concept.startswith("muscle_strength_mrc_"))
