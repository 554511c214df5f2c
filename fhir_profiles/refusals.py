"""What the patient declined and nothing later has overtaken: tests, referrals and treatments.

A refusal has no expiry that a source gives, so none is invented: it stands until the chart shows that the thing was done, ordered
or taken on a later day. A refusal without a day, or whose day is open, stands.
"""

from collections.abc import Iterable, Mapping

from fhir_profiles.clinical_definitions import AgentDefinition
from fhir_profiles.record import Fact, PatientRecord, Refusal, facts_of, newest_first
from fhir_profiles.sentences import say
from fhir_profiles.wordings import at_time


def standing_refusals(record: PatientRecord) -> tuple[Refusal, ...]:
    """Every refusal that stands, each once, newest first."""
    refusals = {refusal for same in record.refusals.values() for refusal in same}
    standing = (refusal for refusal in refusals if not _is_overtaken(refusal, _shown(record, refusal.concepts)))
    return tuple(sorted(standing, key=newest_first))


def refusal_of(record: PatientRecord, concepts: tuple[str, ...]) -> Refusal | None:
    """The newest refusal of a test or referral, unless it was done or ordered on a later day.

    Args:
        record: the chart.
        concepts: the ValueSets whose refusal declines it.
    """
    newest = next(iter(facts_of(record.refusals, concepts)), None)
    return None if newest is None or _is_overtaken(newest, _shown(record, concepts)) else newest


def refused_treatments(record: PatientRecord, agents: Mapping[str, AgentDefinition]) -> dict[str, Refusal]:
    """The newest refusal of each treatment, unless it was started on a later day.

    Args:
        record: the chart.
        agents: the treatments of `definitions/agents.yaml`.
    """
    refused: dict[str, Refusal] = {}
    for refusal in standing_refusals(record):
        for agent in _meant(refusal, agents):
            refused.setdefault(agent, refusal)
    return refused


def in_words(refusal: Refusal) -> str:
    """`declined by the patient on 3 May 2026`."""
    return at_time(say("declined by the patient"), refusal.when)


def _meant(refusal: Refusal, agents: Mapping[str, AgentDefinition]) -> list[str]:
    """The treatments that a refusal is about; a route that has a treatment of its own means that one alone."""
    about = {
        agent: definition
        for agent, definition in agents.items()
        if not set(refusal.concepts).isdisjoint((*definition.drugs, *definition.procedures))
        and (not definition.routes or refusal.route is None or refusal.route in definition.routes)
    }
    by_route = [agent for agent, definition in about.items() if definition.routes and refusal.route is not None]
    return by_route or list(about)


def _shown(record: PatientRecord, concepts: tuple[str, ...]) -> Iterable[Fact]:
    """Everything that was done, found, ordered or given under these concepts."""
    yield from facts_of(record.events, concepts)
    yield from facts_of(record.results, concepts)
    yield from facts_of(record.orders, concepts)
    yield from (entry for entry in facts_of(record.drugs, concepts) if entry.was_given)


def _is_overtaken(refusal: Refusal, facts: Iterable[Fact]) -> bool:
    """A later fact about the same thing speaks; one of the same day may be what the patient declined, and does not."""
    if refusal.when is None:
        return False
    others = (fact.when for fact in facts if fact.when and fact.reference != refusal.reference)
    return any(when.first > refusal.when.last for when in others)
