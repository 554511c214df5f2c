"""`POST /cds-services/{id}/feedback`: what became of cards (conformance section 6)."""

import time

from flask import Blueprint, Response, request

from server.auditing.recording import recording, uuids_among
from server.cds_hooks.services import find_service
from server.error_answers import FHIR_JSON, issue, outcome_of_issues
from server.errors import FeedbackItemError, StoreUnavailableError
from server.feedback.items import MOST_BYTES, Batch, Item, read_feedback
from server.feedback.keep import Kept, keep
from server.feedback.trouble import log_trouble
from server.intake import read_json
from server.request_log import note, timed
from server.runtime import Runtime
from server.stopwatch import Stopwatch, server_timing
from server.store.errors import StoreError
from server.trust.clients import Caller

_KEPT, _KEPT_IN_PART = "MYO-1600", "MYO-1604"


def feedback_blueprint(runtime: Runtime) -> Blueprint:
    """The feedback endpoints: one for every service, since no client can know which services want feedback (F-1)."""
    blueprint = Blueprint("feedback", __name__)

    @blueprint.post("/cds-services//<service_id>/feedback")
    @blueprint.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service = find_service(service_id)
        note(service=service.id)
        watch = timed(Stopwatch())
        url = runtime.url(f"/cds-services/{service.id}")
        with watch.time("trust"):
            caller = runtime.gate.admit(request, [url, f"{url}/feedback"])  # F-11: which of the two is not said
        note(client=caller.client.name)
        with recording(runtime, caller, service.id, "feedback", watch) as record:
            with watch.time("request"):
                batch = read_feedback(read_json(request, min(runtime.config.max_body_bytes, MOST_BYTES)))
            record.note(cards=uuids_among(item.card for item in batch.items))
            with watch.time("store"):
                kept = _keep(runtime, caller, service.id, batch.items)
            note(cards=kept.new, repeated=kept.repeated, unknown=kept.unknown, refused=len(batch.refused))
            response = _answer(batch)
            if response.status_code != 200:
                record.note(outcome=FeedbackItemError.number)
        response.headers["Server-Timing"] = server_timing(watch.seconds)
        return response

    return blueprint


def _keep(runtime: Runtime, caller: Caller, service: str, items: tuple[Item, ...]) -> Kept:
    try:
        return keep(runtime.database, caller, service, items, int(time.time()))
    except StoreError as error:
        log_trouble(error, "keep_feedback")
        raise StoreUnavailableError("The feedback could not be kept just now. Send it again.") from None


def _answer(batch: Batch) -> Response:
    """200 says "do not send this again", also where single items are refused: a client that repeats what was not accepted would
    otherwise repeat the batch for ever. Only where nothing could be kept it is 400. No version of CDS Hooks says what the answer
    should be (F-10); it is an OperationOutcome always, since a client that reads JSON fails at an empty body, and sends again.
    Nothing in it tells whose a card was (FB-03)."""
    issues = [issue(FeedbackItemError.number, FeedbackItemError.code, text, severity="error") for text in batch.refused]
    issues += [issue(_KEPT_IN_PART, "incomplete", text, severity="warning") for text in batch.remarks]
    if not issues:
        issues = [issue(_KEPT, "informational", "Everything was kept.", severity="information")]
    status = 400 if batch.refused and not batch.items else 200
    return Response(outcome_of_issues(issues), status=status, content_type=FHIR_JSON)
