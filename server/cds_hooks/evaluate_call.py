"""The evaluation of one hook call, and when there must be none; the endpoint and the doctor go the same way."""

from dataclasses import replace
from datetime import date

from cards.choosing import indicator_of
from cards.recommendation import Recommendation
from cards.show import Show
from fhir_profiles.findings import Answer
from fhir_profiles.identity import is_mismatch
from fhir_profiles.record import InputState
from server.basis import Basis
from server.cds_hooks.envelope import HookCall
from server.cds_hooks.prefetch import Prefetched
from server.errors import AnotherPatientError, MissingInputError
from server.evaluation import Drafts, Evaluation, evaluate
from server.trust.clients import Client


def evaluate_call(
    call: HookCall, prefetched: Prefetched, client: Client, show: Show, *, as_of: date, basis: Basis, tenant: str | None = None
) -> Evaluation:
    """Evaluate the patient of a hook call.

    Args:
        call: the hook call.
        prefetched: its data.
        client: who sent it.
        show: which cards to leave out.
        as_of: the day of the call, in UTC.
        basis: terminology and knowledge.
        tenant: of the client, if its token named one.

    Raises:
        AnotherPatientError: data of another patient is among the input; nothing of it was used.
        MissingInputError: no cards could be shown, and that would not mean that there is nothing to say.
    """
    evaluation = evaluate(
        prefetched.parts,
        as_of=as_of,
        # Ids of patients, and even hook instances, are a client's own: cards of two tenants or servers must not share a uuid.
        seed="/".join((call.instance, client.name, tenant or "", call.fhir_server or "")),
        patient_id=call.patient_id,
        inputs=prefetched.inputs,
        drafts=None if call.draft_orders is None else Drafts(call.draft_orders, call.selections),
        servers=_servers_of_the_patient(call, client),
        issues=prefetched.issues,
        show=show,
        basis=basis,
    )
    if evaluation.is_mismatched:
        raise AnotherPatientError(sum(is_mismatch(issue) for issue in evaluation.issues))
    _refuse_blindness(evaluation, prefetched, show)
    _refuse_unreadable(evaluation)
    return evaluation


def _servers_of_the_patient(call: HookCall, client: Client) -> tuple[str, ...]:
    """Where the patient is known to have the id of the call (SAF-01).

    On the server that the call names, and on no other, since two servers of one client may both have a patient 123. If it names
    none, on one of those of the client; to pass none of several on would be to believe every server there is.
    """
    return (call.fhir_server,) if call.fhir_server else client.fhir_servers


def _refuse_blindness(evaluation: Evaluation, prefetched: Prefetched, show: Show) -> None:
    """ "No cards" must not be said where it would mean "could not look" (conformance R-18, H-7).

    Without the whole problem list nobody can be told not to have myositis. Of somebody who has it, advice that may hold and
    that no card mentions must not rest on a question that was asked and not answered.
    """
    if evaluation.cards:
        return
    blind = [key for key, state in prefetched.states.items() if state.input is InputState.FAILED]
    if not evaluation.recommendations and not prefetched.states["conditions"].is_answer:
        others = ", ".join(key for key in prefetched.unanswered if key != "conditions") or "none"
        raise MissingInputError(
            "Whether this patient has myositis cannot be told: the prefetch key conditions was not sent or could not be read "
            f"completely. Also not sent or not readable: {others}."
        )
    if blind and any(one.holds is Answer.UNKNOWN and _would_be_shown(one, show) for one in evaluation.recommendations):
        raise MissingInputError(f"What applies to this patient cannot be told: not read completely were {', '.join(blind)}.")


def _would_be_shown(one: Recommendation, show: Show) -> bool:
    """Whether this reader would be told, if it held."""
    is_weighty_enough = show.shows(indicator_of([replace(one, holds=Answer.YES)]))
    return one.topic not in show.topics_off and is_weighty_enough and not (show.is_quiet_about(one) or show.has_told(one))


def _refuse_unreadable(evaluation: Evaluation) -> None:
    """A problem list of which nothing could be read, such as one in DSTU2, is not an empty one (conformance X-7)."""
    record = evaluation.record
    if record.input_state("Condition") is InputState.FAILED and not (record.diagnoses or record.refuted or evaluation.cards):
        raise MissingInputError(
            "Whether this patient has myositis cannot be told: conditions came, and none of them could be read as FHIR R4."
        )
