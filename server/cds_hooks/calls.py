"""`POST /cds-services/{id}`: a hook call in, cards out."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

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
from server.feedback.patients import pseudonym_of
from server.feedback.shown import fate_of_advice, remember_cards
from server.feedback.snoozes import silenced
from server.intake import read_json
from server.languages.catalogue import ENGLISH
from server.languages.speaking import in_language
from server.observing.counting import count_evaluation
from server.observing.logs import logger
from server.request_log import note, timed, uuid_or_nothing
from server.responses import json_response
from server.runtime import Runtime
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
        watch = timed(Stopwatch())
        with watch.time("trust"):
            caller = runtime.gate.admit(request, [runtime.url(f"/cds-services/{service.id}")])
        note(client=caller.client.name)
        with recording(runtime, caller, service.id, "hook") as record:
            with watch.time("request"):
                hook_call = read_hook_call(read_json(request, runtime.config.max_body_bytes), service)
            note(instance=hook_call.instance)
            patient = pseudonym_of(hook_call, caller, runtime.pseudonyms)
            record.note(patient=patient, **facts_of_call(hook_call, caller, runtime))
            said = answer(hook_call, service, caller, runtime, watch)
            _note_answer(record, said, caller, service)
            response = json_response({"cards": said.cards})
        response.headers["Server-Timing"] = server_timing(watch.seconds)
        return response

    return blueprint


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook call is answered with, and what it rests on.

    Args:
        cards: as they are sent, in the dialect and language of the client.
        evaluation: everything that was found out.
        show: what was left out of it.
        patient: pseudonym.
        prefetched: the data, and the state of each kind of it.
    """

    cards: list[dict[str, Any]]
    evaluation: Evaluation
    show: Show
    patient: str
    prefetched: Prefetched


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
    with watch.time("store"):
        show = _show(caller, patient, runtime)
    evaluation = _evaluate(call, prefetched, service, caller, show, runtime)
    watch.add(evaluation.seconds)
    count_evaluation(service.id, evaluation, show)
    note(cards=len(evaluation.cards), issues=len(evaluation.issues), **fate_of_advice(evaluation, show))
    return Answer(_in_words_of(caller.client, evaluation, runtime), evaluation, show, patient, prefetched)


def _note_answer(record: Record, said: Answer, caller: Caller, service: Service) -> None:
    """What the record of a call says about its answer; the cards are remembered in the same transaction."""
    sent = {card.get("uuid") for card in said.cards}
    record.note(**facts_of(said.evaluation, [card for card in said.evaluation.cards if card["uuid"] in sent]))
    if caller.client.mode == SHADOW:
        record.note(outcome=SHADOW)
    if said.evaluation.cards:
        record.beside = lambda connection: remember_cards(connection, caller, service.id, said.patient, said.evaluation)


def _in_words_of(client: Client, evaluation: Evaluation, runtime: Runtime) -> list[dict[str, Any]]:
    """The cards as one EHR wants them: its link to the app, its dialect, the language of its readers."""
    offered = without_repeated_notes(evaluation.cards)
    cards = in_dialect(with_app_link(offered, client, runtime.url(LAUNCH_PATH)), client)
    return in_language(cards, client.language or ENGLISH)


def _show(caller: Caller, patient: str, runtime: Runtime) -> Show:
    client = caller.client
    return Show(
        cap=client.card_cap or runtime.config.card_cap,
        topics_off=client.topics_off,
        silenced=silenced(runtime.database, caller, patient),
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
