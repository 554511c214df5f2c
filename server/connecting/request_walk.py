"""The doctor, third part: a hook call as an EHR sent it goes through the service step by step, and each step says what it met.

Nothing is fetched, kept or logged, and nothing that is in the call is told: keys, resource types and numbers of ours only.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cards.show import Show
from server.basis import Basis
from server.cds_hooks.dialects import in_dialect
from server.cds_hooks.envelope import HookCall, read_hook_call
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import TEMPLATES, Prefetched, read_prefetch
from server.cds_hooks.prefetch_state import PrefetchState
from server.cds_hooks.services import SERVICES, Service
from server.config import Config, ConfigurationError
from server.connecting.findings import Finding, Verdict, failed, ok, warning
from server.ehr.permission import FhirServer, server_to_call
from server.errors import AnotherPatientError, MissingInputError, RequestRefusedError
from server.evaluation import Evaluation
from server.intake import check_body
from server.request_log import uuid_or_nothing
from server.trust.clients import Client

_STATES: dict[PrefetchState, tuple[str, str]] = {
    PrefetchState.ABSENT: ("not sent: counted as not supplied", "R-11"),
    PrefetchState.NOT_OFFERED: ("the EHR does not offer it: counted as not supplied", "R-13"),
    PrefetchState.NULL: ("null: counted as none on record", "R-12"),
    PrefetchState.EMPTY: ("empty: counted as none on record", "R-12"),
    PrefetchState.PRESENT: ("present", "R-10"),
    PrefetchState.TRUNCATED: ("fewer results than the server counted: counted as incomplete", "R-15"),
    PrefetchState.PAGINATED: ("the first page only: counted as incomplete", "R-15"),
    PrefetchState.INCOMPLETE: ("reported or seen to be incomplete: counted as incomplete", "R-13"),
    PrefetchState.WRONG_TYPE: ("holds another resource type than was asked for: counted as failed", "R-10"),
    PrefetchState.NOT_FHIR: ("is not FHIR: counted as failed", "R-10"),
    PrefetchState.FAILED: ("an error: counted as failed", "R-13"),
    PrefetchState.DENIED: ("withheld: counted as failed", "R-13"),
}
_NO_CALLBACK = {
    "no-server": ("the call names no fhirServer", "send fhirServer and fhirAuthorization, or fill the prefetch", "T-8"),
    "not-registered": ("fhirServer is not registered for this client", "add its base URL to fhir_servers", "T-11"),
    "no-token": ("the call has no fhirAuthorization", "let the EHR send a token, or fill the prefetch", "T-1"),
    "bad-token": ("the access token cannot be sent on", "it must be visible ASCII", "T-6"),
    "token-of-another-patient": ("the token is for another patient than the hook", "this is a fault of the EHR", "T-2"),
}


def read_request(path: Path) -> bytes:
    """The file with the call.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None


def walk(body: bytes, client: Client, config: Config, basis: Basis) -> Iterator[Finding]:
    """What would become of a call.

    Args:
        body: as it was sent; the first step that refuses it is the last.
        client: who is taken to send it.
        config: the settings.
        basis: terminology and knowledge.
    """
    try:
        content = check_body(body, config.max_body_bytes)
        yield ok("body: JSON, not too long, not too deep", "G-1")
        service = _service(content)
        if service is None:
            hooks = ", ".join(one.hook for one in SERVICES.values())
            yield failed("hook: no service of ours answers it; the answer would be 404", f"call one of {hooks}", "R-1")
            return
        call = read_hook_call(content, service)
        yield ok(f"envelope: a call of {service.hook}, for {service.id}", "R-5")
        yield from _judge_envelope(call)
        prefetched = read_prefetch(call.prefetch)
        yield from _judge_prefetch(call, prefetched, client)
        is_asked = _may_call(call, client) and bool(_asked_for(prefetched, client))
        show = Show(client.card_cap or config.card_cap, client.topics_off, least_indicator=client.least_indicator)
        try:
            evaluation = evaluate_call(call, prefetched, client, show, as_of=config.today(), basis=basis)
        except MissingInputError as error:
            if not is_asked:
                raise
            what = f"unless the EHR answers when it is asked, the answer would be {_refusal(error)}"
            yield warning(what, "compare with what the service answers to this call, while its token is good", "H-2")
            return
    except RequestRefusedError as error:
        requirement = "SAF-01" if isinstance(error, AnotherPatientError) else "H-2" if error.status == 412 else "H-4"
        yield failed(f"the answer would be {_refusal(error)}", "see the message", requirement)
        return
    yield ok("patient: everything that names a patient names this one", "SAF-01")
    yield from _judge_evaluation(evaluation, service)
    yield _judge_dialect(evaluation, client)
    number = len(evaluation.cards)
    before = ", before what the EHR would be asked for" if is_asked else ""
    would = "would be, were the client not in shadow mode," if client.is_in_shadow else "would be"
    yield ok(f"the answer {would} 200 with {number} card{'' if number == 1 else 's'}{before}", "H-1")


def _refusal(error: RequestRefusedError) -> str:
    return f"{error.status}, {error.number}: {error.text}"


def _service(content: Any) -> Service | None:
    """The service for the hook that a call names; the first one where it names none, whose complaint is the right one."""
    hook = content.get("hook") if isinstance(content, dict) else None
    if not isinstance(hook, str):
        return next(iter(SERVICES.values()))
    return next((service for service in SERVICES.values() if service.hook == hook), None)


def _judge_envelope(call: HookCall) -> Iterator[Finding]:
    if uuid_or_nothing(call.instance) == "not-a-uuid":
        yield warning("hookInstance: is not a UUID, so the logs cannot name it", "send a new UUID with every call", "R-2")


def _judge_prefetch(call: HookCall, prefetched: Prefetched, client: Client) -> Iterator[Finding]:
    asked = _asked_for(prefetched, client)
    may_call = _may_call(call, client)
    for template in TEMPLATES:
        state = prefetched.states[template.key]
        words, requirement = _STATES[state]
        what = f"prefetch key {template.key} ({template.need}): {words}"
        if state.is_answer:
            yield ok(what, requirement)
            continue
        is_lost = state.brings_nothing and not (may_call and template.key in asked)
        judge = failed if is_lost and template.key == "conditions" else warning
        remedy = (
            "it would be asked for again at the EHR, see below" if template.key in asked else "it would not be asked for again"
        )
        yield judge(what, remedy, requirement)
    if strange := len(call.prefetch.keys() - {template.key for template in TEMPLATES}):
        yield warning(f"prefetch: {strange} keys that are not ours; read by what they hold", "see the connection sheet", "P-14")
    if asked:
        yield _judge_callback(call, client)


def _asked_for(prefetched: Prefetched, client: Client) -> set[str]:
    """The keys that the EHR would be asked for, could it be asked."""
    worth_it = (template for template in TEMPLATES if prefetched.states[template.key].is_worth_fetching)
    return {template.key for template in worth_it if template.resource_type not in client.fhir_types_missing}


def _may_call(call: HookCall, client: Client) -> bool:
    return isinstance(server_to_call(call, client), FhirServer)


def _judge_callback(call: HookCall, client: Client) -> Finding:
    server = server_to_call(call, client)
    if isinstance(server, FhirServer):
        return ok("callback: what is missing would be asked for at the EHR; not done here, since the token has ended", "T-8")
    what, remedy, requirement = _NO_CALLBACK[server]
    return warning(f"callback: {what}, so what is missing stays missing", remedy, requirement)


def _judge_evaluation(evaluation: Evaluation, service: Service) -> Iterator[Finding]:
    if evaluation.issues:
        yield warning(
            f"data: {len(evaluation.issues)} things could not be used as they were sent",
            "run `myositis-cds assess` on the same data, where it may be seen: it names each",
            "SAF-16",
        )
    found = ", ".join(phenotype.code for phenotype in evaluation.assessment.phenotypes)
    yield ok(f"patient: {'a kind of myositis was found' if found else 'no myositis was found, so there is nothing to say'}")
    if service.is_about_orders and not evaluation.cards:
        yield ok("orders: none of the drafts calls for a card")


def _judge_dialect(evaluation: Evaluation, client: Client) -> Finding:
    def suggestions(cards: Any) -> int:
        return sum(len(card.get("suggestions", ())) for card in cards)

    made, sent = suggestions(evaluation.cards), suggestions(in_dialect(evaluation.cards, client))
    what = f"dialect {client.dialect}: {sent} of {made} suggestions can be sent"
    if sent == made:
        return ok(what, "C-11")
    return Finding(Verdict.WARNING, what, "map the orders: see `myositis-cds connect --print`, Orders to map", "C-32")
