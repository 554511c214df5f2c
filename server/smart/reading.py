"""Reading the patient of a launch with the granted token, and evaluating what was read (A-13, A-16; SM-09, SM-10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cards.show import Show
from fhir_profiles.elements import objects
from fhir_profiles.sentences import say
from server.cds_hooks.prefetch import TEMPLATES, Fetched, Prefetched, Template, read_prefetch, with_fetched
from server.cds_hooks.prefetch_state import Judgement, PrefetchState
from server.ehr.fetch import Outcome, Query
from server.ehr.permission import FhirServer
from server.evaluation import evaluate
from server.observing.counting import count_fetches
from server.observing.logs import logger
from server.patient_page.opened import Banner, Opened
from server.runtime import Runtime
from server.smart.scopes import Access, Granted
from server.smart.sessions import Session
from server.smart.stops import ANOTHER_PATIENT, ENDED, NO_ANSWER, StopError
from server.trust.clients import Client

EVERY_CARD = Show(cap=1000)

_log = logger("ehr")
_security = logger("security")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What was read.

    Args:
        prefetched: as of a hook call that brought everything.
        session: with the token that it was read with.
        denied: resource types of which not everything could be read, because the token does not allow it.
    """

    prefetched: Prefetched
    session: Session
    denied: tuple[str, ...]


def open_patient(session: Session, client: Client, base: str, runtime: Runtime, *, form_token: str) -> Opened:
    """Read and evaluate the patient of a launch.

    Args:
        session: of the launch.
        client: that it was launched from.
        base: the FHIR server.
        runtime: the parts of the service.
        form_token: for the forms of the page.

    Raises:
        StopError: nothing could be read, or what was read is another patient's.
    """
    chart = read_chart(session.fresh(), client, base, runtime)
    grant, read, today = chart.session.grant, chart.prefetched, runtime.config.today()
    evaluation = evaluate(
        read.parts,
        as_of=today,
        seed="/".join(("app", client.name, grant.tenant, base)),
        patient_id=grant.patient,
        inputs=read.inputs,
        servers=(base,),
        issues=read.issues,
        show=EVERY_CARD,
        basis=runtime.basis,
    )
    if evaluation.is_mismatched:
        _security.warning("another_patients_data", action="refused", client=client.name, service="app")
        raise StopError(ANOTHER_PATIENT, "another-patient")
    return Opened(
        launch=session.launch.id,
        evaluation=evaluation,
        parts=read.parts,
        inputs=read.inputs,
        servers=(base,),
        as_of=today,
        basis=runtime.basis,
        banner=banner_of(read.parts, grant.patient) if grant.needs_banner else None,
        focus=tuple(session.launch.holds["focus"]),
        scopes_missing=chart.denied,
        form_token=form_token,
        about=grant.about,
    )


def read_chart(session: Session, client: Client, base: str, runtime: Runtime) -> Chart:
    """Ask the FHIR server everything that a hook call brings; once more with a new token, if it takes the old one for over.

    Raises:
        StopError: the token is over, or nothing could be read.
    """
    granted, patient_id = Granted(session.grant.scope), session.grant.patient
    wanted = [one for one in TEMPLATES if one.resource_type not in client.fhir_types_missing]
    queries = [Query(one, patient_id) for one in wanted if granted.access_to(one.resource_type) is not Access.NONE]
    outcomes = _ask(queries, session, client, base, runtime)
    if _is_over(queries, outcomes) or (session.grant.refresh_token and any(map(_is_unauthorised, outcomes))):
        session = session.renewed()
        outcomes = _ask(queries, session, client, base, runtime)
    if _is_over(queries, outcomes):
        session.end()
        raise StopError(ENDED, "token-refused")
    _log_failures(queries, outcomes, client)
    if not any(one.fetched.parts or one.fetched.judgement.state.is_answer for one in outcomes):
        raise StopError(NO_ANSWER, "nothing-read")
    answers = {query.template.key: outcome for query, outcome in zip(queries, outcomes, strict=True)}
    fetched = {one.key: _fetched(one, answers.get(one.key), granted) for one in wanted}
    denied = tuple(
        one.resource_type
        for one in wanted
        if granted.access_to(one.resource_type) is not Access.ALL or fetched[one.key].reason == "denied"
    )
    return Chart(with_fetched(read_prefetch({}), fetched), session, denied)


def banner_of(parts: Sequence[Json], patient_id: str) -> Banner:
    """Who the patient is, as the chart has it; what it has not is left empty.

    Args:
        parts: that were read.
        patient_id: FHIR id, which stands in where there is no other identifier.
    """
    patient = next((one for one in parts if one.get("resourceType") == "Patient"), {})
    identifiers = (_text(one, "value") for one in objects(patient.get("identifier")))
    return Banner(
        name=_name(patient),
        birth_date=_text(patient, "birthDate"),
        identifier=next((one for one in identifiers if one), patient_id),
        sex=_text(patient, "gender"),
    )


def _ask(queries: Sequence[Query], session: Session, client: Client, base: str, runtime: Runtime) -> list[Outcome]:
    server = FhirServer(base, session.grant.access_token, client.ca_file)
    return runtime.callback.ask_all(queries, server, client)


def _is_over(queries: Sequence[Query], outcomes: Sequence[Outcome]) -> bool:
    """Whether the token is good for nothing any more: a 401 for a single type may be no more than that it is not allowed."""
    refused = [query.template.resource_type for query, one in zip(queries, outcomes, strict=True) if _is_unauthorised(one)]
    return bool(refused) and ("Patient" in refused or len(refused) == len(queries))


def _is_unauthorised(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.is_unauthorised


def _fetched(template: Template, outcome: Outcome | None, granted: Granted) -> Fetched:
    """How one query ended. What the token does not allow was asked for in vain, and a part is never taken for all."""
    if outcome is None:
        problem = say("may not be read: the EHR did not grant it")
        return Fetched(Judgement(PrefetchState.DENIED, problem=problem), reason="denied")
    fetched = outcome.fetched
    if granted.access_to(template.resource_type) is Access.PART and fetched.judgement.state.is_answer:
        judgement = Judgement(
            PrefetchState.INCOMPLETE, fetched.judgement.types, say("may be read in part only; counted as incomplete")
        )
        return replace(fetched, judgement=judgement)
    return fetched


def _log_failures(queries: Sequence[Query], outcomes: Sequence[Outcome], client: Client) -> None:
    ended = [(query.template.key, outcome.fetched.reason) for query, outcome in zip(queries, outcomes, strict=True)]
    count_fetches(client.name, ended)
    for query, outcome in zip(queries, outcomes, strict=True):
        if outcome.fetched.reason:
            key, reason = query.template.key, outcome.fetched.reason
            _log.warning("query_failed", client=client.name, key=key, reason=reason)


def _name(patient: Mapping[str, Any]) -> str:
    """The official name, or the first one."""
    names = objects(patient.get("name"))
    name = next((one for one in names if one.get("use") == "official"), next(iter(names), {}))
    given = name.get("given")
    parts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return _text(name, "text") or " ".join((*parts, _text(name, "family"))).strip()


def _text(holder: Mapping[str, Any], member: str) -> str:
    value = holder.get(member)
    return value if isinstance(value, str) else ""
