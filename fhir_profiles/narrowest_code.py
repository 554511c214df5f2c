"""Which code of a concept to write where one must be chosen: the one that says this concept and as little else as possible."""

from fhir_profiles.codes import Coding, Terminology

_SYSTEMS = ("http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm")
"""In what a chart is coded best; the first of them that has a code for the concept is taken."""


def narrowest_coding(terminology: Terminology, concept: str) -> Coding:
    """The code of a concept that stands for the fewest concepts besides it.

    Args:
        terminology: what codes mean.
        concept: id of one of our ValueSets, with underscores.

    Raises:
        KeyError: there is no such concept.
    """

    def breadth(coding: Coding) -> tuple[int, int]:
        preference = _SYSTEMS.index(coding.system) if coding.system in _SYSTEMS else len(_SYSTEMS)
        return len(terminology.concepts_of(coding.system, coding.code)), preference

    return min(terminology.codings(concept), key=breadth)
