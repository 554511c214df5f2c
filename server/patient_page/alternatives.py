"""Which other phenotypes there could be, and which datum tells them apart: worked out by supposing each antibody positive."""

from dataclasses import dataclass

from fhir_profiles.antibodies import AntibodyResult
from fhir_profiles.findings import Evidence
from fhir_profiles.hypotheses import Hypothesis, Supposition, hypotheses
from fhir_profiles.sentences import say
from server.patient_page.facts import Fact, begin, facts
from server.patient_page.findings import would_be
from server.patient_page.opened import Opened
from server.patient_page.supposing import assess_supposing, can_suppose
from server.patient_page.unseen import STATE_WORDS


@dataclass(frozen=True, slots=True)
class Teller:
    """One datum that would make it so.

    Args:
        title: the datum.
        on_record: what the chart says of it.
        supposition: as it stands in the address of the page.
        is_open: the chart does not answer it with no.
    """

    title: str
    on_record: Fact
    supposition: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """A phenotype that does not hold, how sure it would be, and the data that tell it apart, open ones first."""

    title: str
    certainty: str
    tellers: tuple[Teller, ...]


_NOT_TESTED = say("no result on record")


def alternatives(opened: Opened) -> tuple[Alternative, ...]:
    """The phenotypes that a single positive antibody would bring, those still open first."""
    held = {phenotype.code for phenotype in opened.evaluation.assessment.phenotypes}
    if not held or not can_suppose(opened):
        return ()
    titles: dict[str, tuple[str, str]] = {}
    tellers: dict[str, list[Teller]] = {}
    for hypothesis in hypotheses().values():
        if "positive" not in hypothesis.answers or hypothesis.id not in opened.basis.knowledge.definitions.antibodies:
            continue
        supposed = Supposition(hypothesis, hypothesis.answers["positive"])
        for phenotype in assess_supposing(opened, [supposed]).phenotypes:
            if phenotype.code not in held:
                titles[phenotype.code] = (begin(phenotype.title), would_be(phenotype.certainty))
                tellers.setdefault(phenotype.code, []).append(_teller(hypothesis, supposed, opened))
    found = [Alternative(*titles[code], tuple(sorted(told, key=lambda one: not one.is_open))) for code, told in tellers.items()]
    return tuple(sorted(found, key=lambda one: not one.tellers[0].is_open))


def _teller(hypothesis: Hypothesis, supposed: Supposition, opened: Opened) -> Teller:
    answered: AntibodyResult | None = opened.evaluation.assessment.antibodies.get(hypothesis.id)
    if answered is None:
        unread = STATE_WORDS.get(opened.evaluation.record.input_state("Observation"))  # then it is unknown, and not untested
        return Teller(hypothesis.title, Fact(unread or _NOT_TESTED), supposed.id, is_open=True)
    (fact,) = facts([Evidence(str(answered), answered.source.reference)])
    return Teller(hypothesis.title, fact, supposed.id, is_open=answered.result != "negative")
