"""Codes as JSON text: ours, from the terminology, and made-up ones for everything else that a chart holds."""

from random import Random

import orjson

from fhir_profiles.codes import Coding, Terminology
from fhir_profiles.narrowest_code import narrowest_coding
from fhir_profiles.systems import ICD_10_CM, SNOMED

LOCAL_CODES = "https://synthetic-cohort.example/fhir/CodeSystem/local"
"""Nobody's code system: what stands in it, the service passes over."""

_LOCAL = 400
_FIRST = {"snomed": SNOMED, "icd-10-cm": ICD_10_CM}
_USUAL = {
    "alendronate": ("904419",),
    "antisynthetase_syndrome": ("445187004",),
    "arthritis": ("3723001",),
    "atorvastatin": ("617311",),
    "azathioprine": ("197388",),
    "creatine_kinase": ("2157-6",),
    "cyclophosphamide": ("1437969",),
    "dermatomyositis": ("396230008", "M33.10"),
    "dermatomyositis_adult": ("402425006", "M33.10"),
    "dermatomyositis_juvenile": ("1212005", "M33.00"),
    "diabetes_mellitus": ("44054006",),
    "folic_acid": ("4511",),
    "haemoglobin": ("718-7",),
    "heliotrope_rash": ("HP:0040324",),
    "hydroxychloroquine": ("979092",),
    "hypertension": ("59621000", "I10"),
    "idiopathic_inflammatory_myopathy": ("702380008",),
    "immunoglobulin_iv": ("42386",),
    "inclusion_body_myositis": ("72315009", "G72.41"),
    "interstitial_lung_disease": ("233703007", "J84.9"),
    "malignancy": ("363346000",),
    "methotrexate": ("6851",),
    "methylprednisolone": ("1743726",),
    "mycophenolate_mofetil": ("200060",),
    "osteoporosis": ("64859006",),
    "oxygen_therapy": ("57485005",),
    "patient_refusal": ("105480006",),
    "pregnancy": ("77386006",),
    "polymyositis": ("31384009", "M33.20"),
    "prednisone": ("312617",),
    "raynaud": ("266261006",),
    "rituximab": ("1657867",),
    "systemic_sclerosis": ("89155008", "M34.9"),
    "tacrolimus": ("198377",),
    "trimethoprim_sulfamethoxazole": ("10831",),
}
"""Of the codes that the terminology lists for a concept, those that charts are likely to have; elsewhere it is the narrowest."""


class Codes:
    """How one hospital codes.

    Args:
        terminology: where the codes come from.
        first: what it codes with where it can: `snomed` or `icd-10-cm`.
    """

    def __init__(self, terminology: Terminology, first: str) -> None:
        """Nothing is looked up yet."""
        self._terminology = terminology
        self._first = _FIRST[first]
        self._known: dict[str, str] = {}
        self._locals = [_codeable(Coding(LOCAL_CODES, f"local-{n}", f"Local code {n}")) for n in range(_LOCAL)]

    def of(self, concept: str) -> str:
        """The CodeableConcept of a concept. Raises KeyError where there is no such concept."""
        if concept not in self._known:
            self._known[concept] = _codeable(self._coding(concept))
        return self._known[concept]

    def presence_of(self, concept: str) -> str:
        """The CodeableConcept of a test that says whether something is there, not how much of it."""
        name = f"{concept}?"
        if name not in self._known:
            tests = [one for one in self._terminology.codings(concept) if "[Presence]" in one.display]
            self._known[name] = _codeable(min(tests, key=self._breadth) if tests else self._coding(concept))
        return self._known[name]

    def in_words(self, concept: str) -> str:
        """The name of a concept without a code, as clinicians write it."""
        return _json({"text": self._terminology.title(concept)})

    def local(self, chance: Random) -> str:
        """Some made-up code."""
        return self._locals[int(chance.random() * _LOCAL)]

    def _coding(self, concept: str) -> Coding:
        codings = self._terminology.codings(concept)
        usual = [one for one in codings if one.code in _USUAL.get(concept, ())]
        own = [one for one in usual or codings if one.system == self._first] or usual
        return min(own, key=self._breadth) if own else narrowest_coding(self._terminology, concept)

    def _breadth(self, coding: Coding) -> int:
        """How much besides the concept a code means."""
        return len(self._terminology.concepts_of(coding.system, coding.code))


def _codeable(coding: Coding) -> str:
    return _json({"coding": [{"system": coding.system, "code": coding.code, "display": coding.display}], "text": coding.display})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
