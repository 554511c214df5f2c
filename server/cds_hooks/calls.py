"""`POST /cds-services/{id}`: a hook call in, cards out."""

import logging
from typing import Any

from flask import Blueprint, Response, request

from cards.show import Show
from fhir_profiles.record import InputState
from server.cds_hooks.dialects import in_dialect
from server.cds_hooks.envelope import HookCall, read_hook_call
from server.cds_hooks.prefetch import Prefetched
from server.cds_hooks.services import SERVICES, Service
from server.errors import AnotherPatientError, MissingInputError, UnknownServiceError
from server.evaluation import Drafts, Evaluation, evaluate
from server.feedback.shown import remember_cards
from server.feedback.snoozes import silenced
from server.intake import read_json
from server.request_log import note
from server.responses import json_response
from server.runtime import Runtime
from server.stopwatch import Stopwatch
from server.trust.clients import Caller

_security = logging.getLogger("myositis_cds.security")


def hooks_blueprint(runtime: Runtime) -> Blueprint:
    """The hook endpoints."""
    blueprint = Blueprint("hooks", __name__)

    # A client that was configured with `…/cds-services/` calls `…/cds-services//{id}` (conformance X-3).
    @blueprint.post("/cds-services//<service_id>")
    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = SERVICES.get(service_id)
        if service is None:
            raise UnknownServiceError("There is no service of that id. /cds-services lists them.")
        note(service=service.id)
        watch = Stopwatch()
        with watch.time("trust"):
            caller = runtime.gate.admit(request, [runtime.url(f"/cds-services/{service.id}")])
        note(client=caller.client.name)
        with watch.time("request"):
            hook_call = read_hook_call(read_json(request, runtime.config.max_body_bytes), service)
        note(instance=hook_call.instance)
        cards = answer(hook_call, service, caller, runtime, watch)
        return json_response({"cards": cards}, seconds=watch.seconds)

    return blueprint


def answer(call: HookCall, service: Service, caller: Caller, runtime: Runtime, watch: Stopwatch) -> list[dict[str, Any]]:
    """The cards for a hook call.

    Raises:
        AnotherPatientError: data of another patient is among the input; nothing of it was used.
        MissingInputError: nothing shows whether this is a patient with myositis, because the conditions were not sent.
    """
    patient = runtime.pseudonyms.of(caller.client.name, call.patient_id)
    with watch.time("fetch"):
        prefetched = runtime.callback.complete(call, caller.client)
    with watch.time("store"):
        show = _show(caller, patient, runtime)
    evaluation = _evaluate(call, prefetched, show, runtime)
    _refuse_unreadable(evaluation)
    watch.add(evaluation.seconds)
    note(cards=len(evaluation.cards), issues=len(evaluation.issues))
    with watch.time("store"):
        remember_cards(runtime.database, caller, service.id, patient, evaluation)
    return in_dialect(evaluation.cards, caller.client)


def _refuse_unreadable(evaluation: Evaluation) -> None:
    """A problem list of which nothing could be read, such as one in DSTU2, is not an empty one (conformance X-7)."""
    record = evaluation.record
    if record.input_state("Condition") is InputState.FAILED and not (record.diagnoses or record.refuted or evaluation.cards):
        raise MissingInputError(
            "Whether this patient has myositis cannot be told: conditions came, and none of them could be read as FHIR R4."
        )


def _show(caller: Caller, patient: str, runtime: Runtime) -> Show:
    client = caller.client
    return Show(
        cap=client.card_cap or runtime.config.card_cap,
        topics_off=client.topics_off,
        silenced=silenced(runtime.database, caller, patient),
    )


def _evaluate(call: HookCall, prefetched: Prefetched, show: Show, runtime: Runtime) -> Evaluation:
    evaluation = evaluate(
        prefetched.parts,
        as_of=runtime.config.today(),
        seed=call.instance,
        patient_id=call.patient_id,
        inputs=prefetched.inputs,
        drafts=None if call.draft_orders is None else Drafts(call.draft_orders, call.selections),
        issues=prefetched.issues,
        show=show,
        basis=runtime.basis,
    )
    if evaluation.is_mismatched:
        _security.warning("event=another_patients_data action=refused resources=%d", len(evaluation.issues))
        raise AnotherPatientError(
            "Data of another patient is among the prefetch or the draft orders, so nothing was evaluated. "
            "Every resource must name context.patientId as its subject."
        )
    _refuse_blindness(evaluation, prefetched)
    return evaluation


def _refuse_blindness(evaluation: Evaluation, prefetched: Prefetched) -> None:
    """ "No cards" must not be said where it would mean "could not look" (conformance R-18, H-7)."""
    if "conditions" in prefetched.unanswered and not evaluation.assessment.phenotypes and not evaluation.cards:
        raise MissingInputError(
            "Whether this patient has myositis cannot be told: the prefetch key conditions was not sent or could not be read. "
            f"Also not sent or not readable: {', '.join(key for key in prefetched.unanswered if key != 'conditions') or 'none'}."
        )
