"""Where guidelines disagree (`contradictions.yaml`): for whom it matters, and whom each side fits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cards.conditions import compile_about_patients
from cards.recommendation import Contradiction, Side, Source
from cards.verdicts import Case, Condition, RuleError, Vocabulary, everyone
from fhir_profiles.findings import Answer


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contradiction, and for whom it matters.

    Args:
        contradiction: its sides in the order of the file.
        matters: for whom it is shown.
        fits: for each side, the patients whom it fits; None where the file does not say.
        trigger: `matters`, as it is written.
    """

    contradiction: Contradiction
    matters: Condition
    fits: tuple[Condition | None, ...]
    trigger: Mapping[str, Any] | None = None

    def shown_to(self, case: Case) -> Contradiction | None:
        """The contradiction as `seen_by` the patient, or None where it does not matter; for all statements worked out once."""
        code = self.contradiction.id
        if code not in case.disagreements:
            case.disagreements[code] = self.seen_by(case) if self.matters(case).answer is Answer.YES else None
        return case.disagreements[code]

    def seen_by(self, case: Case) -> Contradiction:
        """The contradiction with the sides that fit the patient first; all of them stay, each as it is."""
        sides = zip(self.fits, self.contradiction.sides, strict=True)
        ordered = sorted(sides, key=lambda side: side[0] is None or side[0](case).answer is not Answer.YES)
        return replace(self.contradiction, sides=tuple(side for _, side in ordered))

    def triggers(self) -> Iterator[Mapping[str, Any]]:
        """Every condition of it, as written."""
        for trigger in (self.trigger, *(side.trigger for side in self.contradiction.sides)):
            if trigger is not None:
                yield trigger


def read_dispute(code: str, entry: Mapping[str, Any], vocabulary: Vocabulary, sources: Mapping[str, Source]) -> Dispute:
    """One entry of `contradictions.yaml`.

    Args:
        code: `C1` to `C15`.
        entry: what stands under it.
        vocabulary: what its conditions may refer to.
        sources: every source, by id.

    Raises:
        RuleError: an unknown source, or a condition that cannot be compiled.
    """
    where = f"contradictions.yaml: {code}"
    sides = tuple(_side(side, sources, where) for side in entry["sides"])
    fits = tuple(compile_about_patients(side.trigger, vocabulary, where) if side.trigger else None for side in sides)
    matters = compile_about_patients(entry["when"], vocabulary, where) if "when" in entry else everyone
    return Dispute(Contradiction(code, entry["title"], sides, entry.get("note")), matters, fits, entry.get("when"))


def _side(entry: Mapping[str, Any], sources: Mapping[str, Source], where: str) -> Side:
    names = entry.get("who", ())
    if unknown := [name for name in names if name not in sources]:
        raise RuleError(f"{where}: unknown source {', '.join(unknown)}; sources.yaml lists the known ones")
    return Side(tuple(sources[name] for name in names), entry["says"], entry.get("outside"), entry.get("when"))
