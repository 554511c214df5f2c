"""The sandbox as a CDS Hooks client: one event, told to every service that wants to know (CDS Hooks 2.0.1, "Calling a CDS
Service")."""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sandbox.answers import Answer
from sandbox.authorization.authorization import Authorization, HookToken
from sandbox.card_checks import check_answer, read_cards
from sandbox.charts import Chart
from sandbox.clinic import encounter_id
from sandbox.dialects import DIALECTS, Dialect
from sandbox.errors import ServiceError
from sandbox.exchange import post_json
from sandbox.fhir_parts import Json
from sandbox.prefetch import Prefetch, resolve, token_values
from sandbox.services import Provider, Service, Services
from sandbox.signing import Signer
from sandbox.switches import Switches

_SHOWN = 12
"""So many characters of a token are shown."""

_EPIC_VERSION = "com.epic.cdshooks.request.cds-hooks-specification-version"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a clinician does.

    Args:
        hook: what.
        chart: whose chart is open.
        data: the chart whose data is sent; the same, unless a switch says otherwise.
        orders: drafts on the pad; None where the hook is not about orders.
        selections: references of the drafts that were just chosen; None where the hook does not say.
        instance: `hookInstance`, new for each event.
    """

    hook: str
    chart: Chart
    data: Chart
    orders: Sequence[Json] | None = None
    selections: Sequence[str] | None = None
    instance: str = field(default_factory=lambda: str(uuid.uuid4()))

    def context(self, dialect: Dialect) -> Json:
        """`context`, as the hook is defined (conformance section 10)."""
        context: Json = {"userId": dialect.user, "patientId": self.chart.patient_id}
        if dialect.encounter:
            context["encounterId"] = encounter_id(self.chart.patient_id)
        if self.selections is not None:
            context["selections"] = list(self.selections)
        if self.orders is not None:
            entries = [{"resource": order} for order in self.orders]
            context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return context


@dataclass(frozen=True, slots=True)
class HookClient:
    """Fires hooks.

    Args:
        services: at whom.
        signer: signs the calls.
        authorization: gives out the tokens for calling back.
        fhir_server: base URL of the FHIR API.
    """

    services: Services
    signer: Signer
    authorization: Authorization
    fhir_server: str

    def fire(self, event: Event, switches: Switches) -> Sequence[Answer]:
        """Tell all services at the same time; one that fails takes nothing from the others."""
        dialect = DIALECTS[switches.dialect]
        called = self.services.with_hook(event.hook) if event.hook in dialect.hooks else ()
        with ThreadPoolExecutor(max_workers=max(1, len(called))) as pool:
            return list(pool.map(partial(self._call, event=event, switches=switches), called))

    def _call(self, service: Service | Provider, event: Event, switches: Switches) -> Answer:
        if isinstance(service, Provider):
            return Answer(service.discovery_url, "", event.hook, {}, None, trouble=service.trouble, url=service.discovery_url)
        dialect = DIALECTS[switches.dialect]
        url = service.url(double_slash=dialect.double_slash)
        prefetch = self._prefetch(service, event, switches)
        granted = self.authorization.hook_token(event.chart.patient_id) if switches.token else None
        request = self._request(event, prefetch.values, granted, dialect)
        token = self.signer.token_for(url, dialect)
        answer = Answer(
            service=service.title,
            service_id=service.service_id,
            hook=event.hook,
            request=_for_the_screen(request),
            response=None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {_shortened(token)}"},
            prefetch=prefetch.states,
            url=url,
            dialect=switches.dialect,
        )
        try:
            return _completed(answer, token, request)
        finally:
            if granted:
                self.authorization.revoke(granted.access_token)  # nobody calls back after answering (T-7)

    def _prefetch(self, service: Service, event: Event, switches: Switches) -> Prefetch:
        """Where another patient's data is sent, the queries are about that patient, too."""
        dialect = DIALECTS[switches.dialect]
        values = token_values(event.context(dialect) | {"patientId": event.data.patient_id}, dialect)
        base = self.fhir_server
        return resolve(service.prefetch, values, event.data, base=base, only=switches.sends, dialect=dialect)

    def _request(self, event: Event, prefetch: Mapping[str, Any], granted: HookToken | None, dialect: Dialect) -> Json:
        request: Json = {
            "hook": event.hook,
            "hookInstance": event.instance,
            "fhirServer": self.fhir_server,
            "context": event.context(dialect),
        }
        if granted:
            patient = {"patient": granted.patient} if dialect.token_names_patient else {}
            request["fhirAuthorization"] = _authorization(granted) | patient
        if prefetch:
            request["prefetch"] = dict(prefetch)
        if dialect.version:
            request["extension"] = {_EPIC_VERSION: dialect.version}
        return request


def _authorization(token: HookToken) -> Json:
    """`fhirAuthorization` (conformance T-1)."""
    return {
        "access_token": token.access_token,
        "token_type": token.token_type,
        "expires_in": token.expires_in,
        "scope": token.scope,
        "subject": token.subject,
    }


def _completed(answer: Answer, token: str, request: Json) -> Answer:
    """The answer with what came back, or with what went wrong."""
    try:
        reply = post_json(answer.url, token, request)
        response = check_answer(reply.body)
    except ServiceError as error:
        return replace(answer, trouble=str(error))
    cards = read_cards(response)
    return replace(answer, response=response, cards=cards, milliseconds=reply.milliseconds, server_timing=reply.server_timing)


def _for_the_screen(request: Json) -> Json:
    """The request with its access token shortened: nobody needs to read it, and somebody may take a picture."""
    if "fhirAuthorization" not in request:
        return request
    authorization = request["fhirAuthorization"]
    return request | {"fhirAuthorization": authorization | {"access_token": _shortened(authorization["access_token"])}}


def _shortened(token: str) -> str:
    return f"{token[:_SHOWN]}…"
