"""`POST /cds-services/{id}`: a hook call in, cards out."""

import logging

from flask import Blueprint, Response, request

from server.basis import load_basis
from server.cds_hooks.envelope import HookCall, read_hook_call
from server.cds_hooks.prefetch import Prefetched, read_prefetch
from server.cds_hooks.services import SERVICES
from server.config import Config
from server.errors import AnotherPatientError, MissingInputError, UnknownServiceError
from server.evaluation import Drafts, Evaluation, evaluate
from server.intake import read_json
from server.request_log import note
from server.responses import json_response

_security = logging.getLogger("myositis_cds.security")


def hooks_blueprint(config: Config) -> Blueprint:
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
        hook_call = read_hook_call(read_json(request, config.max_body_bytes), service)
        note(instance=hook_call.instance)
        evaluation = answer(hook_call, config)
        note(cards=len(evaluation.cards), issues=len(evaluation.issues))
        return json_response({"cards": evaluation.cards}, seconds=evaluation.seconds)

    return blueprint


def answer(call: HookCall, config: Config) -> Evaluation:
    """Evaluate a hook call.

    Raises:
        AnotherPatientError: data of another patient is among the input; nothing of it was used.
        MissingInputError: nothing shows whether this is a patient with myositis, because the conditions were not sent.
    """
    prefetched = read_prefetch(call.prefetch)
    evaluation = evaluate(
        prefetched.parts,
        as_of=config.today(),
        seed=call.instance,
        patient_id=call.patient_id,
        inputs=prefetched.inputs,
        drafts=None if call.draft_orders is None else Drafts(call.draft_orders, call.selections),
        issues=prefetched.issues,
        cap=config.card_cap,
        basis=load_basis(config.site, config.terminology),
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
