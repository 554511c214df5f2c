"""A made-up cohort: its patients one after the other, each the same whoever else is in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from fhir_profiles.codes import Terminology
from server.cohort.synthesis.chance import Choice, chance_of
from server.cohort.synthesis.chart import Chart, Person, medication_id
from server.cohort.synthesis.codes import Codes
from server.cohort.synthesis.days import YEAR
from server.cohort.synthesis.disease import Disease, Diseases, Onset
from server.cohort.synthesis.everyday import Everyday
from server.cohort.synthesis.others import Others
from server.cohort.synthesis.proportions import Proportions, Site, packaged_proportions
from server.cohort.synthesis.shapes import Shapes, json_text
from server.cohort.synthesis.story import Stories

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
    """

    seed: int
    as_of: date
    resources: int = RESOURCES
    myositis_share: float = MYOSITIS_SHARE


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
        self._kinds = Choice(known.table("myositis")), Choice(known.table("others"))
        self._sites = Choice({site: site.weight for site in known.sites})
        self._shapes = {name: Shapes(Codes(terminology, name)) for name in {site.codes for site in known.sites}}
        self._diseases, self._others, self._everyday = Diseases(known), Others(known), Everyday(known)
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
        person = self._person_with(form, number, began, site, chance)
        diagnosed = max(person.last_day - int(began.since * YEAR), person.birth + 300)
        onset = max(diagnosed - int(began.to_diagnosis * YEAR), person.birth + 200)
        disease = self._diseases.make(form, onset, diagnosed, person.last_day, chance)
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
        chart = self._chart(self._person(number, is_female, birth, site, chance), chance)
        self._others.tell(kind, chart)
        self._everyday.troubles(chart, has_myositis=False)
        self._everyday.fill(chart, self._size(chance))
        return SyntheticPatient(chart.person.id, site.id, kind, None, None, kind != "suspected-dermatomyositis", chart.lines)

    def _person_with(self, form: str, number: int, began: Onset, site: Site, chance: Random) -> Person:
        birth = self._today - int((began.age + began.to_diagnosis + began.since) * YEAR)
        return self._person(number, chance.random() < self._proportions.of(f"female.{form}"), birth, site, chance)

    def _person(self, number: int, is_female: bool, birth: int, site: Site, chance: Random) -> Person:
        of = self._proportions.of
        is_deceased = chance.random() < of("course.deceased")
        died = self._today - 1 - int(chance.random() * 30)
        return Person(
            number=number,
            is_female=is_female,
            birth=birth,
            last_day=died if is_deceased else self._today,
            is_deceased=is_deceased,
            is_birth_known=chance.random() >= of("missing.birth_date"),
            site=site,
        )

    def _chart(self, person: Person, chance: Random) -> Chart:
        return Chart(person, self._shapes[person.site.codes], chance, self._proportions.of("missing.interpretation"))

    def _size(self, chance: Random) -> int:
        return int(self._settings.resources * (0.5 + chance.random()))
