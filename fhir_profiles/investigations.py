"""Tests and referrals: done, ordered, not on record, or not to be told (design section 4, rules 1 and 3)."""

from dataclasses import dataclass
from datetime import date
from itertools import chain

from fhir_profiles.clinical_definitions import InvestigationDefinition
from fhir_profiles.features import absence
from fhir_profiles.findings import Evidence, Missing, Standing
from fhir_profiles.record import Fact, InputState, Order, PatientRecord, Refusal
from fhir_profiles.refusals import refusal_of
from fhir_profiles.sentences import join, say
from fhir_profiles.wordings import on_day


@dataclass(frozen=True, slots=True)
class Investigation:
    """How the chart stands on one test or referral.

    Args:
        code: our name (`colonoscopy`).
        title: in words.
        standing: `PRESENT` if done or ordered.
        last_done: the newest day on which it was done, or None.
        is_ordered: it is ordered and not done yet.
        evidence: the resources that show it.
        missing: what was not supplied, so that "none on record" says no more than it knows.
        declined: the patient's refusal, where it is neither done nor ordered and nothing later has overtaken the refusal.
    """

    code: str
    title: str
    standing: Standing
    last_done: date | None = None
    is_ordered: bool = False
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()
    declined: Refusal | None = None

    @property
    def is_done_undated(self) -> bool:
        """It was done, and the chart does not say when."""
        return self.standing is Standing.PRESENT and not self.is_ordered and self.last_done is None


def investigate(
    record: PatientRecord, code: str, definition: InvestigationDefinition, since: date | None = None
) -> Investigation:
    """Whether a test was done (on or after a day) or is ordered.

    Args:
        record: the chart.
        code: the investigation's name.
        definition: which ValueSets show it.
        since: first day that counts; None for ever.

    Returns:
        Done and ordered are both `PRESENT`; otherwise whether its absence is known, not supplied, or not to be assessed.
    """
    done, orders = _shown(record, definition, since)
    if done or orders:
        days = [fact.when.last for fact in done if fact.when]
        evidence = tuple(Evidence(_describe(definition.title, fact), fact.reference) for fact in (*done, *orders))
        return Investigation(code, definition.title, Standing.PRESENT, max(days, default=None), not done, evidence)
    standing = _absence(record, definition.kinds)
    declined = refusal_of(record, definition.declined_by)
    return Investigation(code, definition.title, standing, missing=_caveat(record, definition, standing), declined=declined)


def _shown(record: PatientRecord, definition: InvestigationDefinition, since: date | None) -> tuple[list[Fact], list[Order]]:
    """The facts that show it done, and the open orders, of every combination that is complete."""
    done: list[Fact] = []
    ordered: list[Order] = []
    for combination in definition.shown_by:
        if not all(_is_named(record, concept) for concept in combination):
            continue
        done_parts = [_newest_done(record, concept, since) for concept in combination]
        order_parts = [_open_orders(record, concept, since) for concept in combination]
        if all(done_parts):
            done.extend(chain.from_iterable(done_parts))
        elif all(d or o for d, o in zip(done_parts, order_parts, strict=True)):
            ordered.extend(chain.from_iterable(order_parts))
    return list(dict.fromkeys(done)), list(dict.fromkeys(ordered))


def _is_named(record: PatientRecord, concept: str) -> bool:
    """Whether the chart has anything under it: of most tests it has not."""
    return concept in record.events or concept in record.results or concept in record.orders


def _newest_done(record: PatientRecord, concept: str, since: date | None) -> list[Fact]:
    facts: tuple[Fact, ...] = (*record.events.get(concept, ()), *record.results.get(concept, ()))
    for fact in facts:
        if since is None or fact.when is None or fact.when.last >= since:
            return [fact]
    return []


def _open_orders(record: PatientRecord, concept: str, since: date | None) -> list[Order]:
    return [order for order in record.orders.get(concept, ()) if since is None or order.when is None or order.when.last >= since]


def unreadable(record: PatientRecord, definition: InvestigationDefinition) -> tuple[Missing, ...]:
    """What is missing where a kind of input that could show the test failed: another test may be among what was not read."""
    failed = any(record.input_state(kind) is InputState.FAILED for kind in definition.kinds)
    return _caveat(record, definition, Standing.FAILED) if failed else ()


def _absence(record: PatientRecord, kinds: tuple[str, ...]) -> Standing:
    """One kind that failed spoils it; all must have been supplied to say that nothing is on record."""
    states = [record.input_state(kind) for kind in kinds]
    if InputState.FAILED in states:
        return Standing.FAILED
    return Standing.NOT_SUPPLIED if InputState.NOT_SUPPLIED in states else absence(record, kinds)


KIND_NAMES = {
    "Procedure": say("procedures"),
    "DiagnosticReport": say("diagnostic reports"),
    "Observation": say("results"),
    "ServiceRequest": say("orders"),
}


def _caveat(record: PatientRecord, definition: InvestigationDefinition, standing: Standing) -> tuple[Missing, ...]:
    title, concept = definition.title, definition.shown_by[0][0]
    if standing is Standing.NOT_SUPPLIED:
        kinds = _kinds_in(InputState.NOT_SUPPLIED, record, definition)
        words = say("no {title} in the data supplied; {kinds} were not supplied", title=title, kinds=kinds)
        return (Missing(words, concept, is_caveat=True),)
    if standing is Standing.FAILED:
        kinds = _kinds_in(InputState.FAILED, record, definition)
        words = say("{title} could not be assessed: {kinds} could not be read completely", title=title, kinds=kinds)
        return (Missing(words, concept, is_caveat=True),)
    return ()


def _kinds_in(state: InputState, record: PatientRecord, definition: InvestigationDefinition) -> str:
    return _listed([KIND_NAMES.get(kind, kind) for kind in definition.kinds if record.input_state(kind) is state])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else say("{first} and {last}", first=join(", ", words[:-1]), last=words[-1])


def _describe(title: str, fact: Fact) -> str:
    words = say("{title} ordered", title=title) if isinstance(fact, Order) else say("{title} done", title=title)
    return on_day(words, fact.when)


def days_done(record: PatientRecord, definition: InvestigationDefinition, since: date | None = None) -> tuple[date, ...]:
    """Every day on which the investigation was done, oldest first; a combination counts on the day it became complete."""
    days: set[date] = set()
    for combination in definition.shown_by:
        parts = [sorted(_days(record, concept, since)) for concept in combination]
        if all(parts):
            days.update(max(together) for together in zip(*parts, strict=False))
    return tuple(sorted(days))


def _days(record: PatientRecord, concept: str, since: date | None) -> set[date]:
    facts: chain[Fact] = chain(record.events.get(concept, ()), record.results.get(concept, ()))
    return {fact.when.last for fact in facts if fact.when and (since is None or fact.when.last >= since)}
