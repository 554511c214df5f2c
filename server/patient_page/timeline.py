"""The timeline of one patient: treatments, disease, antibodies, tests and what falls due, on one axis. Pure geometry and words.

Horizontal places are per cent of the width, so that the drawing is as wide as its room and its text is never scaled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cards.schedule import Due
from fhir_profiles.codes import Terminology
from fhir_profiles.dates import DateInterval
from fhir_profiles.sentences import join, say
from server.basis import packaged_basis
from server.evaluation import Evaluation
from server.patient_page.findings import SEVERITY_WORDS
from server.patient_page.happenings import Happening, Row
from server.patient_page.labels import LABELS
from server.patient_page.lanes import antibody_rows, diagnosis_rows, due_rows, investigation_rows, other_diagnosis_rows
from server.patient_page.time_axis import Axis, axis_over, on, until
from server.patient_page.treatment_rows import treatment_rows

_A_LETTER, _A_GAP = 2, 4
"""Per cent of the width that words need on a phone, the narrowest drawing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasts. All places in per cent of the width.

    Args:
        kind: how it looks: `current`, `failed`, `not-tolerated`, `stopped`, `due`.
        start, end: of the part that is sure; equal where no day is.
        may_start, may_end: of all that a partial or missing date leaves open; the same where nothing is.
        goes_on: it has not ended.
        says: its accessible name.
        happening: what it draws.
    """

    kind: str
    start: float
    end: float
    may_start: float
    may_end: float
    goes_on: bool
    says: str
    happening: Happening


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, or is to happen, at a time.

    Args:
        kind: its shape: `positive`, `negative`, `borderline`, `done`, `ordered`, `declined`, `onset`, `dose`, `result`, `due`.
        at: place in per cent of the width.
        may_start, may_end: what a partial date leaves open; equal where nothing is.
        is_before: it lies before the axis begins.
        says: its accessible name.
        happening: what it draws.
    """

    kind: str
    at: float
    may_start: float
    may_end: float
    is_before: bool
    says: str
    happening: Happening


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a bar or beside it: `inside`, `after` or `before`; the word is drawn from `at`, in per cent."""

    text: str
    at: float
    place: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the drawing.

    Args:
        title: of the row.
        summary: how it stands, in words.
        bars, marks: oldest first.
        word: what became of it, on its bar.
        undated: what the chart gives no date for; it is in the table only.
    """

    title: str
    summary: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    word: Word | None
    undated: tuple[Happening, ...]

    @property
    def happenings(self) -> tuple[Happening, ...]:
        """All of it, for the table."""
        bars, marks = (bar.happening for bar in self.bars), (mark.happening for mark in self.marks)
        return (*bars, *marks, *self.undated)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind; `empty` is said where there are none."""

    title: str
    lanes: tuple[Lane, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing.

    Args:
        axis: of time.
        as_of: today.
        today: its place in per cent.
        groups: the rows.
        severity: how severe the disease is now, and what that rests on; empty without a myositis.
    """

    labels: ClassVar[Mapping[str, str]] = LABELS

    axis: Axis
    as_of: DateInterval
    today: float
    groups: tuple[Group, ...]
    severity: str


def timeline(evaluation: Evaluation, dues: Mapping[str, Due], terminology: Terminology | None = None) -> Timeline:
    """Everything dated that the chart says about the disease, and what falls due.

    Args:
        evaluation: of the patient.
        dues: what falls due, by statement (`cards.recommend.calendar`).
        terminology: names the tests and drugs; the packaged one by default.
    """
    terms = terminology or packaged_basis().terminology
    titled = (
        (say("Treatments"), treatment_rows(evaluation, terms), say("No treatment of the disease in the data supplied.")),
        (say("Disease"), diagnosis_rows(evaluation, terms), say("No diagnosis that stands as myositis now.")),
        (say("Antibodies"), antibody_rows(evaluation), say("No antibody result in the data supplied.")),
        (
            say("Tests, imaging and referrals"),
            investigation_rows(evaluation, terms),
            say("No test or order in the data supplied."),
        ),
        (say("Falling due"), due_rows(evaluation, dues), say("No calendar of the sources falls due for this patient.")),
        (say("Other diagnoses"), other_diagnosis_rows(evaluation, terms), say("No other diagnosis in the data supplied.")),
    )
    as_of = evaluation.record.as_of
    *core, _ = (rows for _, rows, _ in titled)  # other diagnoses may be decades old: they do not stretch the axis
    axis = axis_over(_days(core, as_of), as_of)
    groups = tuple(Group(title, tuple(_lane(row, axis, as_of) for row in rows), empty) for title, rows, empty in titled)
    return Timeline(axis, on(as_of), axis.at(as_of), groups, _severity(evaluation))


def _days(parts: Iterable[tuple[Row, ...]], as_of: date) -> Iterable[date]:
    for happening in (happening for rows in parts for row in rows for happening in row.happenings):
        for when in filter(None, (happening.start, happening.end)):
            span = when if happening.is_ahead else until(when, as_of)
            yield from (span.first, span.last)


def _lane(row: Row, axis: Axis, as_of: date) -> Lane:
    bars = tuple(_bar(happening, row.title, axis, as_of) for happening in row.happenings if happening.lasts)
    points = [happening for happening in row.happenings if not happening.lasts]
    marks = tuple(_mark(happening, row.title, axis, as_of) for happening in points if happening.start)
    undated = tuple(happening for happening in points if not happening.start)
    drawn = tuple(sorted(bars, key=lambda bar: (bar.may_start, bar.may_end)))
    word = _word(row.word, drawn) if row.word and drawn else None
    return Lane(row.title, row.summary, drawn, tuple(sorted(marks, key=lambda mark: mark.at)), word, undated)


def _bar(happening: Happening, title: str, axis: Axis, as_of: date) -> Bar:
    """Open where a date is partial or missing: from the left edge, or up to today."""
    today = on(as_of)
    if happening.is_ahead:
        start = happening.start or today
        end = happening.end or start
    else:
        start = until(happening.start, as_of) if happening.start else DateInterval(axis.start, as_of)
        ends = happening.end or (today if happening.goes_on else DateInterval(start.last, as_of))
        end = until(ends, as_of)
    sure_start, sure_end = axis.at(start.last), axis.at(max(end.first, start.first))
    return Bar(
        kind=happening.kind,
        start=min(sure_start, sure_end),
        end=sure_end,
        may_start=axis.at(start.first),
        may_end=max(axis.at(end.last), sure_end),
        goes_on=happening.goes_on,
        says=_says(happening, title),
        happening=happening,
    )


def _mark(happening: Happening, title: str, axis: Axis, as_of: date) -> Mark:
    when = happening.start or on(as_of)
    span = when if happening.is_ahead else until(when, as_of)
    first, last = axis.at(span.first), axis.at(span.last)
    return Mark(
        kind=happening.kind,
        at=round((first + last) / 2, 2),
        may_start=first,
        may_end=last,
        is_before=span.last < axis.start,
        says=_says(happening, title),
        happening=happening,
    )


def _says(happening: Happening, title: str) -> str:
    return say("{title}, {when}: {what}", title=title, when=happening.when, what=happening.says)


def _word(text: str, bars: tuple[Bar, ...]) -> Word | None:
    """On the last bar, or beside it where no other bar is in the way; the summary says it in any case."""
    last, room = bars[-1], _A_LETTER * len(text) + _A_GAP
    if last.end - last.start >= room:
        return Word(text, last.start, "inside")
    if 100 - last.may_end >= room:
        return Word(text, last.may_end, "after")
    return Word(text, last.may_start, "before") if len(bars) == 1 and last.may_start >= room else None


def _severity(evaluation: Evaluation) -> str:
    severity = evaluation.assessment.severity
    if not evaluation.assessment.phenotypes:
        return ""
    why = severity.missing if severity.value == "unknown" else severity.evidence
    if not why:
        return say("Severity now: {severity}.", severity=SEVERITY_WORDS[severity.value])
    reasons = join("; ", [item.text for item in why])
    return say("Severity now: {severity} ({why}).", severity=SEVERITY_WORDS[severity.value], why=reasons)
