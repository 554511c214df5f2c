"""`POST /assess`: a FHIR Bundle in, the Assess JSON out; the same as `myositis-cds assess --json`."""

from flask import Blueprint, Response, request

from cards.show import Show
from server.assessing.as_json import assess_json
from server.assessing.chart_input import evaluate_chart, parse_day
from server.auditing.facts import facts_of
from server.auditing.recording import Record, recording
from server.feedback.patients import pseudonym_in_chart
from server.intake import read_json
from server.interpreter import turn_with_a_large_body
from server.request_log import note, timed
from server.responses import json_response
from server.runtime import Runtime
from server.serving.waited import refuse_if_late
from server.stopwatch import Stopwatch, server_timing
from server.trust.clients import Caller


def assess_blueprint(runtime: Runtime) -> Blueprint:
    """The endpoint, trusted like a hook call; `?patient=ID` names one of several patients, `?asOf=YYYY-MM-DD` another day."""
    blueprint = Blueprint("assess", __name__)

    @blueprint.post("/assess")
    def assess() -> Response:
        refuse_if_late(request.environ)
        caller = runtime.gate.admit(request, [runtime.url("/assess")])
        note(client=caller.client.name)
        watch = timed(Stopwatch())
        with (
            recording(runtime, caller, "assess", "assess", watch) as record,
            turn_with_a_large_body(request.content_length, watch),
        ):
            response = _respond(caller, runtime, watch, record)
        response.headers["Server-Timing"] = server_timing(watch.seconds)
        return response

    return blueprint


def _respond(caller: Caller, runtime: Runtime, watch: Stopwatch, record: Record) -> Response:
    """Answer the current request. Nothing of the chart is kept, so that its memory is free when the next one is read."""
    config, day = runtime.config, request.args.get("asOf")
    evaluation = evaluate_chart(
        read_json(request, config.max_body_bytes),
        as_of=config.today() if day is None else parse_day(day, "asOf"),
        patient_id=request.args.get("patient"),
        show=Show(cap=config.card_cap),
        basis=runtime.basis,
    )
    watch.add(evaluation.seconds)
    note(cards=len(evaluation.cards), issues=len(evaluation.issues))
    patient = pseudonym_in_chart(evaluation.record.patient_id, caller, runtime.pseudonyms)
    record.note(patient=patient, **facts_of(evaluation, evaluation.cards))
    return json_response(assess_json(evaluation))
