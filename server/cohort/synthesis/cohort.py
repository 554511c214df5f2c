"""A made-up cohort: its patients one after the other, each the same whoever else is in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from fhir_profiles.codes import Terminology
from server.cohort.synthesis.chance import Choice, chance_of
from server.cohort.synthesis.chart import Chart, Person, medication_id
from server.cohort.synthesis.codes import Codes
from server.cohort.synthesis.days import YEAR
from server.cohort.synthesis.disease import JUVENILE, Disease, Diseases
from server.cohort.synthesis.everyday import Everyday
from server.cohort.synthesis.others import Others
from server.cohort.synthesis.proportions import Proportions, Site, packaged_proportions
from server.cohort.synthesis.shapes import Shapes, json_text
from server.cohort.synthesis.story import Stories
from server.cohort.synthesis.survival import Survival

RESOURCES = 50
"""About so many a patient, as in an export of a few years."""

MYOSITIS_SHARE = 0.2
"""Of all patients. A rheumatology department has fewer, a myositis registry more; in the population it is about one in 7,000
(14 in 100,000: Svensson 2017, doi:10.1093/rheumatology/kew503), and such a cohort would hardly try a reader."""

DRUGS = (
    "prednisone",
    "methylprednisolone",
    "methotrexate",
    "azathioprine",
    "mycophenolate_mofetil",
    "tacrolimus",
    "immunoglobulin_iv",
    "rituximab",
    "cyclophosphamide",
    "hydroxychloroquine",
    "folic_acid",
    "colecalciferol",
    "trimethoprim_sulfamethoxazole",
    "atorvastatin",
)
"""That a chart may hold, so that hospitals which refer to Medications have one of each."""

_FIRST_VISITS, _MOST_VISITS = 2, 12


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cohort depends on.

    Args:
        seed: of its chance, not below 0.
        as_of: no fact is later.
        resources: about so many for each patient; what tells a disease is never left out.
        myositis_share: of all patients.
        juvenile_share: of those with myositis, so many fell ill before 18; as published where it is left out.
    """

    seed: int
    as_of: date
    resources: int = RESOURCES
    myositis_share: float = MYOSITIS_SHARE
    juvenile_share: float | None = None


@dataclass(frozen=True, slots=True)
class SyntheticPatient:
    """One patient, and what a reader of the chart should find.

    Args:
        id: FHIR id.
        site: id of the Organization.
        kind: of myositis, or why there is none: a table of `proportions.yaml` names it.
        disease: the myositis.
        phenotype: phenotype code of the service; None without myositis.
        is_recognisable: the chart holds what it takes to find the phenotype.
        lines: resources as JSON, by type.
    """

    id: str
    site: str
    kind: str
    disease: Disease | None
    phenotype: str | None
    is_recognisable: bool
    lines: Mapping[str, list[str]]


class SyntheticCohort:
    """Makes patients.

    Args:
        settings: what it depends on.
        terminology: where the codes come from.
        proportions: how often what occurs; the packaged ones by default.
    """

    def __init__(self, settings: Settings, terminology: Terminology, proportions: Proportions | None = None) -> None:
        """Nobody is made yet."""
        self._settings = settings
        self._proportions = known = proportions or packaged_proportions()
        self._today = settings.as_of.toordinal()
        self._kinds = Choice(_forms(known.table("myositis"), settings.juvenile_share)), Choice(known.table("others"))
        self._sites = Choice({site: site.weight for site in known.sites})
        self._shapes = {name: Shapes(Codes(terminology, name)) for name in {site.codes for site in known.sites}}
        self._diseases, self._others, self._everyday = Diseases(known), Others(known), Everyday(known)
        self._survival = Survival(known)
        visits = min(max(settings.resources // 10, _FIRST_VISITS), _MOST_VISITS)
        self._stories = Stories(known, visits)

    def patients(self, number: int) -> Iterator[SyntheticPatient]:
        """The first patients, made one at a time.

        Args:
            number: how many.
        """
        for one in range(number):
            yield self.patient(one)

    def patient(self, number: int, kind: str | None = None) -> SyntheticPatient:
        """One patient.

        Args:
            number: from 0.
            kind: of the tables `myositis` and `others`; by chance where it is left out.
        """
        chance = chance_of(self._settings.seed, number)
        has_myositis = chance.random() < self._settings.myositis_share
        drawn = self._kinds[not has_myositis].of(chance)
        kind = kind or drawn
        if kind in self._diseases.forms:
            return self._ill(number, kind, chance)
        return self._without_myositis(number, kind, chance)

    def shared(self) -> Iterator[tuple[str, str]]:
        """What patients share, by type: the hospitals, and the drugs that some of them refer to."""
        for site in self._proportions.sites:
            organisation = {"resourceType": "Organization", "id": site.id, "active": True, "name": site.name}
            yield "Organization", json_text(organisation)
        codes = self._shapes["snomed"].codes
        for drug in DRUGS:
            named = medication_id(drug)
            yield "Medication", f'{{"resourceType":"Medication","id":"{named}","status":"active","code":{codes.of(drug)}}}'

    def _ill(self, number: int, form: str, chance: Random) -> SyntheticPatient:
        site = self._sites.of(chance)
        began = self._diseases.onset(form, chance)
        is_female = chance.random() < self._proportions.of(f"female.{form}")
        diagnosed = self._today - int(began.since * YEAR)
        onset = diagnosed - int(began.to_diagnosis * YEAR)
        birth = onset - int(began.age * YEAR)
        disease, last_day = self._course(form, birth, onset, diagnosed, chance)
        person = self._person(number, is_female, birth, last_day, site, chance)
        chart = self._chart(person, chance)
        told = self._stories.tell(disease, chart)
        self._everyday.troubles(chart, has_myositis=True)
        self._everyday.fill(chart, self._size(chance))
        return SyntheticPatient(person.id, site.id, form, disease, disease.phenotype, told.is_recognisable, chart.lines)

    def _without_myositis(self, number: int, kind: str, chance: Random) -> SyntheticPatient:
        site = self._sites.of(chance)
        is_child = kind == "control" and chance.random() < self._proportions.of("people.children_without_myositis")
        years = 1 + 16 * chance.random() if is_child else 25 + 65 * chance.random()
        birth = self._today - int(years * YEAR)
        is_female = chance.random() < self._proportions.of("female.others")
        known_since = self._today - int(min(self._proportions.of("mortality.years_kept"), years) * YEAR)
        last_day = min(self._survival.of_age(birth, known_since, False, chance), self._today)
        chart = self._chart(self._person(number, is_female, birth, last_day, site, chance), chance)
        self._others.tell(kind, chart)
        self._everyday.troubles(chart, has_myositis=False)
        self._everyday.fill(chart, self._size(chance))
        return SyntheticPatient(chart.person.id, site.id, kind, None, None, kind != "suspected-dermatomyositis", chart.lines)

    def _course(self, form: str, birth: int, onset: int, diagnosed: int, chance: Random) -> tuple[Disease, int]:
        """A disease and the last day of the chart: today, or the day of death."""
        by_age = min(self._survival.of_age(birth, diagnosed, True, chance), self._today)
        disease = self._diseases.make(form, onset, diagnosed, by_age, chance)
        by_disease = self._survival.of_disease(disease, chance)
        last_day = by_age if by_disease is None else min(by_age, by_disease)
        if disease.cancer is not None and disease.cancer > last_day:
            disease = replace(disease, cancer=last_day)
        return disease, last_day

    def _person(self, number: int, is_female: bool, birth: int, last_day: int, site: Site, chance: Random) -> Person:
        return Person(
            number=number,
            is_female=is_female,
            birth=birth,
            last_day=last_day,
            is_deceased=last_day < self._today,
            is_birth_known=chance.random() >= self._proportions.of("missing.birth_date"),
            site=site,
        )

    def _chart(self, person: Person, chance: Random) -> Chart:
        return Chart(person, self._shapes[person.site.codes], chance, self._proportions.of("missing.interpretation"))

    def _size(self, chance: Random) -> int:
        return int(self._settings.resources * (0.5 + chance.random()))


def _forms(weights: Mapping[str, float], juvenile_share: float | None) -> Mapping[str, float]:
    """Weights in which the juvenile forms have a share of all, and compare with each other as before."""
    if juvenile_share is None:
        return weights
    juvenile = sum(weight for form, weight in weights.items() if form in JUVENILE)
    adult = sum(weights.values()) - juvenile
    return {
        form: weight * (juvenile_share / juvenile if form in JUVENILE else (1 - juvenile_share) / adult)
        for form, weight in weights.items()
    }
