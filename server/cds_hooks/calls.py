"""`POST /cds-services/{id}`: a hook call in, cards out."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from cards.show import Show
from server.auditing.facts import facts_of
from server.auditing.recording import SHADOW, Record, facts_of_call, recording
from server.cds_hooks.dialects import in_dialect
from server.cds_hooks.envelope import HookCall, read_hook_call
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import Prefetched
from server.cds_hooks.repeated_notes import without_repeated_notes
from server.cds_hooks.services import Service, find_service
from server.errors import AnotherPatientError
from server.evaluation import Evaluation
from server.feedback.once import Row
from server.feedback.patients import pseudonym_of
from server.feedback.shadow import remember_shadow_call, row_of_shadow_call
from server.feedback.shown import fate_of_advice, remember_cards, rows_of_cards
from server.feedback.snoozes import silenced
from server.feedback.visits import Visit, told_in, visit_of
from server.intake import read_json
from server.interpreter import turn_with_a_large_body
from server.languages.catalogue import ENGLISH
from server.languages.speaking import in_language
from server.observing.counting import count_evaluation
from server.observing.logs import logger
from server.request_log import note, timed, uuid_or_nothing
from server.responses import json_response
from server.runtime import Runtime
from server.serving.waited import refuse_if_late
from server.smart.card_links import with_app_link
from server.smart.paths import LAUNCH_PATH
from server.stopwatch import Stopwatch, server_timing
from server.trust.clients import Caller, Client

_security = logger("security")


def hooks_blueprint(runtime: Runtime) -> Blueprint:
    """The hook endpoints."""
    blueprint = Blueprint("hooks", __name__)

    # A client that was configured with `…/cds-services/` calls `…/cds-services//{id}` (conformance X-3).
    @blueprint.post("/cds-services//<service_id>")
    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = find_service(service_id)
        note(service=service.id)
        refuse_if_late(request.environ)
        watch = timed(Stopwatch())
        with watch.time("trust"):
            caller = runtime.gate.admit(request, [runtime.url(f"/cds-services/{service.id}")])
        note(client=caller.client.name)
        with (
            recording(runtime, caller, service.id, "hook", watch) as record,
            turn_with_a_large_body(request.content_length, watch),
        ):
            response = _respond(service, caller, runtime, watch, record)
        response.headers["Server-Timing"] = server_timing(watch.seconds)
        return response

    return blueprint


def _respond(service: Service, caller: Caller, runtime: Runtime, watch: Stopwatch, record: Record) -> Response:
    """Answer the current request. Nothing of the chart is kept, so that its memory is free when the next one is read."""
    with watch.time("request"):
        hook_call = read_hook_call(read_json(request, runtime.config.max_body_bytes), service)
    note(instance=hook_call.instance)
    patient = pseudonym_of(hook_call, caller, runtime.pseudonyms)
    record.note(patient=patient, **facts_of_call(hook_call, caller, runtime))
    said = answer(hook_call, service, caller, runtime, watch)
    _note_answer(record, said, hook_call, caller, service, runtime)
    return json_response({"cards": said.cards})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook call is answered with, and what it rests on.

    Args:
        cards: as they are sent, in the dialect and language of the client; none in shadow mode.
        evaluation: everything that was found out.
        show: what was left out of it.
        patient: pseudonym.
        visit: of the patient; None if it is not known which.
        prefetched: the data, and the state of each kind of it.
        is_shadow: the client is in shadow mode, so that nobody is shown what `evaluation` holds.
    """

    cards: list[dict[str, Any]]
    evaluation: Evaluation
    show: Show
    patient: str
    visit: Visit | None
    prefetched: Prefetched
    is_shadow: bool = False


def answer(call: HookCall, service: Service, caller: Caller, runtime: Runtime, watch: Stopwatch) -> Answer:
    """Evaluate a hook call.

    Raises:
        AnotherPatientError: data of another patient is among the input; nothing of it was used.
        MissingInputError: nothing shows whether this is a patient with myositis, because the conditions were not sent.
    """
    patient = pseudonym_of(call, caller, runtime.pseudonyms)
    with watch.time("fetch"):
        prefetched = runtime.callback.complete(call, caller.client)
    note(fetched=prefetched.fetched, fetch_failed=prefetched.fetch_failed)
    visit = visit_of(call, caller, patient, runtime.pseudonyms)
    with watch.time("store"):
        show = _show(caller, service, patient, visit, runtime)
    evaluation = _evaluate(call, prefetched, service, caller, show, runtime)
    watch.add(evaluation.seconds)
    note(issues=len(evaluation.issues), **fate_of_advice(evaluation, show, caller.client))
    is_shadow = caller.client.is_in_shadow
    count_evaluation(service.id, evaluation, show, is_shadow=is_shadow)
    cards = [] if is_shadow else _in_words_of(caller.client, evaluation, runtime)
    return Answer(cards, evaluation, show, patient, visit, prefetched, is_shadow)


def _note_answer(record: Record, said: Answer, call: HookCall, caller: Caller, service: Service, runtime: Runtime) -> None:
    """What the record of a call says about its answer; the cards are remembered in the same transaction."""
    shown = () if said.is_shadow else said.evaluation.cards  # as they were before a dialect took anything away
    record.note(**facts_of(said.evaluation, shown))
    if said.is_shadow:
        record.note(outcome=SHADOW)

    rows = rows_of_cards(caller, service.id, said.patient, said.evaluation, said.visit)
    call_row = _row_of_shadow(said, call, caller, service, runtime)

    def remember(connection: Connection) -> None:
        remember_cards(connection, rows)
        if call_row:
            remember_shadow_call(connection, call_row)

    if rows or call_row:
        record.beside = remember


def _row_of_shadow(said: Answer, call: HookCall, caller: Caller, service: Service, runtime: Runtime) -> Row | None:
    """What is written down of a call in shadow mode; None of any other."""
    if not said.is_shadow:
        return None
    client, secret = caller.client.name, runtime.pseudonyms
    return row_of_shadow_call(client, service.id, call, said.patient, said.evaluation, said.show, secret)


def _in_words_of(client: Client, evaluation: Evaluation, runtime: Runtime) -> list[dict[str, Any]]:
    """The cards as one EHR wants them: its link to the app, its dialect, the language of its readers."""
    offered = without_repeated_notes(evaluation.cards)
    cards = in_dialect(with_app_link(offered, client, runtime.url(LAUNCH_PATH)), client)
    return in_language(cards, client.language or ENGLISH)


def _show(caller: Caller, service: Service, patient: str, visit: Visit | None, runtime: Runtime) -> Show:
    client = caller.client
    return Show(
        cap=client.card_cap or runtime.config.card_cap,
        topics_off=client.topics_off,
        silenced=silenced(runtime.database, caller, patient),
        least_indicator=client.least_indicator,
        told=told_in(visit, runtime.database, caller, service, patient),
    )


def _evaluate(
    call: HookCall, prefetched: Prefetched, service: Service, caller: Caller, show: Show, runtime: Runtime
) -> Evaluation:
    try:
        return evaluate_call(
            call,
            prefetched,
            caller.client,
            show,
            as_of=runtime.config.today(),
            basis=runtime.basis,
            tenant=caller.tenant,
        )
    except AnotherPatientError as error:
        _security.warning(
            "another_patients_data",
            action="refused",
            client=caller.client.name,
            service=service.id,
            instance=uuid_or_nothing(call.instance),
            resources=error.resources,
        )
        raise
