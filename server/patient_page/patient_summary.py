"""The summary for the patient: short words, what was found, which tests are proposed and why, and what to ask the doctor.

It says nothing that the evaluation does not say, and less: no dose, no outlook, and no treatment but those that the chart shows
as taken. A clinician hands it over; it is not software for patients (FDA 2026, criterion 3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cards.knowledge import Knowledge
from cards.recommendation import Recommendation
from fhir_profiles.assessment import Assessment
from fhir_profiles.findings import Answer
from fhir_profiles.sentences import say
from server.patient_page.addresses import Addresses
from server.patient_page.facts import begin
from server.patient_page.frame import frame
from server.patient_page.opened import Opened
from server.patient_page.plain_language import plain_words
from server.patient_page.rendering import render_template


@dataclass(frozen=True, slots=True)
class Explained:
    """A word of medicine and what it means."""

    title: str
    means: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """Tests of one topic, and why they are proposed."""

    why: str
    tests: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class PatientSummary:
    """What the patient is told.

    Args:
        disease: the leading phenotype; None where none is told.
        is_confirmed: the diagnosis is written in the chart as certain.
        features: further findings that the chart says yes to.
        taken: treatments of the disease that the chart shows as taken now, without those of `doubted`.
        doubted: titles of drugs that are taken and that a firm statement or drug-safety rule speaks against.
        proposed: tests and visits, by topic; each once.
        questions: for the next visit.
    """

    disease: Explained | None
    is_confirmed: bool
    features: tuple[Explained, ...]
    taken: tuple[Explained, ...]
    doubted: tuple[str, ...]
    proposed: tuple[Proposed, ...]
    questions: tuple[str, ...]


def render_summary(opened: Opened, language: str) -> str:
    """The summary as a page of its own, to be printed.

    Args:
        opened: the patient, read and evaluated.
        language: that the page is to speak.
    """
    addresses = Addresses(opened.launch, language, part="/summary")
    return render_template("summary.html", language, summary=patient_summary(opened), **frame(opened, addresses))


def patient_summary(opened: Opened) -> PatientSummary:
    """What the evaluation says, for the patient."""
    evaluation = opened.evaluation
    assessment, said = evaluation.assessment, [r for r in evaluation.recommendations if r.holds is Answer.YES]
    proposed, topics = _proposed(said, assessment, evaluation.knowledge)
    asked = sorted({r.topic for r in said}, key=lambda code: evaluation.knowledge.topics[code].rank)
    doubted = _doubted(said, assessment, evaluation.knowledge)
    return PatientSummary(
        disease=_disease(assessment),
        is_confirmed=assessment.primary is not None and assessment.primary.is_confirmed,
        features=_features(assessment),
        taken=_taken(assessment, doubted),
        doubted=tuple(begin(assessment.treatment.courses[agent].title) for agent in doubted),
        proposed=proposed,
        questions=tuple(_ask(code, assessment) for code in dict.fromkeys((*topics, *asked))),
    )


def _disease(assessment: Assessment) -> Explained | None:
    """The leading phenotype; one that only the computer worked out is for the doctor to tell."""
    if assessment.primary is None or not assessment.primary.diagnoses:
        return None
    return Explained(**plain_words().phenotypes[assessment.primary.code])


def _features(assessment: Assessment) -> tuple[Explained, ...]:
    if not assessment.phenotypes:
        return ()
    words = plain_words().features
    return tuple(Explained(**words[code]) for code in words if assessment.features[code].is_present)


def _doubted(said: Sequence[Recommendation], assessment: Assessment, known: Knowledge) -> tuple[str, ...]:
    """Agents being taken that firm advice is against: a list to take home must not say "go on" where the card says "stop"."""
    rules = {rule.id: rule for rule in known.safety}
    against = [r for r in said if r.is_against]
    titles = {title for r in against for title in r.avoid}
    drugs = {treatment for r in against for caution in r.cautions for treatment in rules[caution.id].treatments}
    courses = {known.treatments[drug].course for drug in drugs if drug in known.treatments}
    taken = assessment.treatment.courses.items()
    return tuple(agent for agent, course in taken if course.is_current and (course.title in titles or agent in courses))


def _taken(assessment: Assessment, doubted: Sequence[str]) -> tuple[Explained, ...]:
    """What is taken for the disease; a drug without words here (a statin) is no treatment of it."""
    words, treatment = plain_words().treatments, assessment.treatment
    agents = (agent for agent in treatment.current if agent in words and agent not in doubted)
    return tuple(Explained(begin(treatment.courses[agent].title), words[agent]["means"]) for agent in agents)


def _why(topic: str, assessment: Assessment) -> str:
    """Why tests of a topic are proposed to this patient."""
    if topic == "supportiveCare" and any("dermatomyositis" in phenotype.code for phenotype in assessment.phenotypes):
        return say("Exercise, sun protection and other help can make daily life easier.")
    return plain_words().topics[topic]["why"]


def _ask(topic: str, assessment: Assessment) -> str:
    """What to ask about a topic; where the lungs are the reason, that they are."""
    if topic == "urgentReferral" and assessment.features["severe-ild"].is_present:
        return say("My lung disease can get worse quickly: who will see me, and how soon?")
    if topic == "lungFunction" and assessment.features["interstitial-lung-disease"].is_present:
        return say("How are my lungs now, and when are they checked again?")
    return plain_words().topics[topic]["ask"]


def _proposed(
    said: Iterable[Recommendation], assessment: Assessment, known: Knowledge
) -> tuple[tuple[Proposed, ...], Sequence[str]]:
    """Tests and visits under the topic that names them first, in the order of topics; no drug and no vaccine."""
    words, told = plain_words(), set[str]()
    by_topic: dict[str, list[Explained]] = {}
    for recommendation in sorted(said, key=lambda r: known.topics[r.topic].rank):
        for order in recommendation.orders:
            entry = words.orders.get(order)
            if entry is not None and entry["title"] not in told and known.orders[order]["resource"] == "ServiceRequest":
                told.add(entry["title"])
                by_topic.setdefault(recommendation.topic, []).append(Explained(begin(entry["title"]), entry["what"]))
    proposed = tuple(Proposed(_why(topic, assessment), tuple(tests)) for topic, tests in by_topic.items())
    return proposed, tuple(by_topic)
