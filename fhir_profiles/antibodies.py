"""Autoantibodies: the newest answer of each, never surer than the laboratory was (phenotypes.md section 1, rules 4 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_profiles.clinical_definitions import AntibodyDefinition
from fhir_profiles.code_words import word
from fhir_profiles.record import DrugEntry, PatientRecord, Result, facts_of
from fhir_profiles.sentences import say
from fhir_profiles.wordings import by_text, on_day


@dataclass(frozen=True, slots=True)
class AntibodyResult:
    """What the chart says of one autoantibody.

    Args:
        code: our name (`anti-tif1-gamma`).
        title: how it is printed (`anti-TIF1-γ`).
        result: `positive`, `negative` or `borderline`.
        source: the Observation it comes from.
        first_positive: the oldest positive result, whatever came later.
        has_fallen: an earlier positive is kept although a later result, under treatment, was not positive.
    """

    code: str
    title: str
    result: str
    source: Result
    first_positive: Result | None = None
    has_fallen: bool = False

    def __str__(self) -> str:
        """A sentence part: `anti-TIF1-γ positive on 3 March 2026`."""
        return self.text

    @property
    def text(self) -> str:
        """The same, as a sentence."""
        words = on_day(say("{title} {result}", title=self.title, result=word(self.result)), self.source.when)
        if self.has_fallen:
            words = say("{words} (a later result, under treatment, was not)", words=words)
        return by_text(words, self.source)


def find_antibodies(
    record: PatientRecord, antibodies: Mapping[str, AntibodyDefinition], immunosuppressants: tuple[str, ...]
) -> dict[str, AntibodyResult]:
    """The state of every antibody that has an answer on record.

    Args:
        record: the chart.
        antibodies: the definitions.
        immunosuppressants: drug ValueSets under which an antibody may fall.

    Returns:
        Antibody results by code; one that was never answered is absent, which is not the same as negative.
    """
    treatment = facts_of(record.drugs, immunosuppressants)
    found = {}
    for code, definition in antibodies.items():
        answered = [result for result in facts_of(record.results, definition.result) if result.answer]
        if answered:
            kept = _kept(answered, treatment)
            positive = [result for result in answered if result.answer == "positive"]
            found[code] = AntibodyResult(
                code=code,
                title=definition.title,
                result=kept.answer or "",
                source=kept,
                first_positive=positive[-1] if positive else None,
                has_fallen=kept.when != answered[0].when,
            )
    return found


def _kept(newest_first: list[Result], treatment: tuple[DrugEntry, ...]) -> Result:
    """The newest answer; but an earlier positive when the newest was taken under treatment and is not positive.

    Several subtypes tested on one day (Mi-2 alpha and beta) count as positive if one is.
    """
    newest = newest_first[0]
    same_day = [r for r in newest_first if r.when == newest.when]
    earlier = [r for r in newest_first if r.when != newest.when and _under_treatment(newest, treatment)]
    for results, wanted in ((same_day, "positive"), (earlier, "positive"), (same_day, "borderline")):
        for result in results:
            if result.answer == wanted:
                return result
    return newest


def _under_treatment(result: Result, treatment: tuple[DrugEntry, ...]) -> bool:
    """Antibodies can fall under treatment."""
    return any(t.was_given and t.when and result.when and t.when.first <= result.when.first for t in treatment)
