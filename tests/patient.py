"""A synthetic patient in clinical words (`server.knowledge.clinical_chart`), with what the rooms make of it.

woman = Patient(sex="female", born="1964-02-01").has("dermatomyositis", since="2026-08").takes("prednisone", dose=40)
woman.antibody("anti_tif1_gamma", "positive").cards()
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache

from cards.recommend import recommend
from cards.recommendation import Recommendation
from cards.show import Show
from cards.to_cards import to_cards
from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from fhir_profiles.reader import read_drafts, read_record
from fhir_profiles.record import DraftOrder, PatientRecord
from server.knowledge.clinical_chart import AS_OF, ClinicalChart, Json, codeable, terminology

__all__ = ["AS_OF", "Json", "Patient", "codeable", "terminology"]


@dataclass(frozen=True)
class Patient(ClinicalChart):
    """One synthetic patient; `sex` and `born` may be None for "not given"."""

    def raised_ck(self, on: str = "21 days ago") -> "Patient":
        """Creatine kinase of 2,000 U/L, above the laboratory's limit of 190."""
        return self.result("creatine_kinase", 2000, low=26, high=190, on=on)

    def normal_ck(self, on: str = "21 days ago") -> "Patient":
        """Creatine kinase of 90 U/L, inside the laboratory's range."""
        return self.result("creatine_kinase", 90, low=26, high=190, on=on)

    def shuffled(self, order: list[int]) -> "Patient":
        """The same chart with its resources in another order."""
        return replace(self, resources=tuple(self.resources[index] for index in order))

    def later(self, days: int) -> "Patient":
        """The same facts, looked at so many days later."""
        return replace(self, as_of=self.as_of + timedelta(days=days))

    # --- what we make of it ---------------------------------------------------------------------------------------------

    def record(self) -> PatientRecord:
        """What the chart says."""
        return read_record([self.bundle()], terminology=terminology(), as_of=self.as_of, patient_id="1", inputs=self.inputs())

    def assess(self) -> Assessment:
        """What it means; worked out once for each chart, since nothing in it changes."""
        return _assessed(_Chart(repr(self), self))

    def drafted(self, *orders: str) -> tuple[DraftOrder, ...]:
        """What is read of draft prescriptions."""
        writing = replace(self, drafts_written=())
        for order in orders:
            writing = writing.drafts(order)
        drafts, issues = read_drafts(writing.draft_orders(), None, terminology=terminology(), as_of=self.as_of, patient_id="1")
        assert not issues, issues
        return drafts

    def recommendations(self, drafting: tuple[str, ...] | None = None) -> list[Recommendation]:
        """What the guidelines say; about drafted drugs where some are given."""
        return list(_recommended(_Chart(repr(self), self), drafting))

    def cards(self, drafting: tuple[str, ...] | None = None, seed: str = "hook-1", cap: int = 5) -> list[Json]:
        """The cards of one answer."""
        return to_cards(self.recommendations(drafting), self.assess(), seed=seed, show=Show(cap))


# A law asks several things of the same chart: each is evaluated once, and forgotten after some others.


@dataclass(frozen=True)
class _Chart:
    """A chart that is the same as another where everything in it reads the same."""

    words: str
    patient: Patient = field(compare=False)


@lru_cache(maxsize=64)
def _assessed(chart: _Chart) -> Assessment:
    return assess(chart.patient.record())


@lru_cache(maxsize=64)
def _recommended(chart: _Chart, drafting: tuple[str, ...] | None) -> tuple[Recommendation, ...]:
    drafts = None if drafting is None else chart.patient.drafted(*drafting)
    return tuple(recommend(chart.patient.assess(), drafts))
