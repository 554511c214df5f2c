"""The application over a database that these tests can look into, called by several EHRs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from server.application import create_app
from server.runtime import open_runtime
from server.store.pseudonyms import load_pseudonyms
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.server.charts import ANTI_TIF1, Json, chart, hook_call, order_call, prefetch_of
from tests.server.conftest import CONFIG

VIEW = "/cds-services/myositis-patient-view"
SIGN = "/cds-services/myositis-order-sign"
CLIENTS = {
    "never-quiet": Client("never-quiet", snooze_days=0),
    "patient-client": Client("patient-client", snooze_days=90),
    "in-shadow": Client("in-shadow", mode="shadow"),
    "warnings-only": Client("warnings-only", least_indicator="warning"),
    "three-cards": Client("three-cards", card_cap=3),
}
"""Those that are not set as usual."""


@dataclass(frozen=True, slots=True, eq=False)
class ByName(Gate):
    """Believes the name and the tenant in two headers: who may call is tested with the real gate, in the room of trust."""

    def admit(self, request: Request, audiences: Sequence[str]) -> Caller:
        name = request.headers.get("X-Client", "hospital")
        return Caller(CLIENTS.get(name, Client(name)), request.headers.get("X-Tenant"))


@dataclass(frozen=True, slots=True)
class Ehr:
    """One EHR: opens charts and sends feedback."""

    http: FlaskClient
    headers: dict[str, str]

    def post(self, path: str, body: Any) -> TestResponse:
        return self.http.post(path, json=body, headers=self.headers)

    def open_chart(self, patient: str = "p1", slug: str = ANTI_TIF1, **more: Any) -> list[Json]:
        """Open the chart of a patient who is like one of the sandbox's; the cards."""
        bundle = _renamed(chart(slug), slug, patient)
        response = self.post(VIEW, hook_call(patient, prefetch_of(bundle), **({"hookInstance": str(uuid4())} | more)))
        assert response.status_code == 200
        cards: list[Json] = response.get_json()["cards"]
        return cards

    def sign(self, drug: str, slug: str, patient: str = "p1", **context: str) -> list[Json]:
        """Sign a draft of a drug for such a patient; the cards."""
        draft = {
            "resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order",
            "subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {"text": drug},
        }  # fmt: skip
        prefetch = prefetch_of(_renamed(chart(slug), slug, patient))
        call = order_call("order-sign", patient, prefetch, {"resourceType": "Bundle", "entry": [{"resource": draft}]}, **context)
        response = self.post(SIGN, call | {"hookInstance": str(uuid4())})
        assert response.status_code == 200
        cards: list[Json] = response.get_json()["cards"]
        return cards

    def topics(self, patient: str = "p1", **more: Any) -> set[str]:
        return {topic_of(card) for card in self.open_chart(patient, **more)}

    def send(self, *items: Any, path: str = f"{VIEW}/feedback") -> TestResponse:
        return self.post(path, {"feedback": list(items)})


def _renamed(value: Any, old: str, new: str) -> Any:
    return json.loads(json.dumps(value).replace(old, new))


def topic_of(card: Json) -> str:
    topic: str = card["source"]["topic"]["code"]
    return topic


def of_topic(cards: Sequence[Json], topic: str) -> Json:
    return next(card for card in cards if topic_of(card) == topic)


def overridden(card: Json | str, reason: Any = None, at: str = "2026-11-22T10:00:00Z", **why: Any) -> Json:
    """Feedback: a card was overridden, with the first of its own reasons unless another is given."""
    if isinstance(card, dict):
        reason = reason or card["overrideReasons"][0]
        card = card["uuid"]
    why |= {"reason": reason} if reason else {}
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": at} | ({"overrideReason": why} if why else {})


def accepted(card: Json | str, at: str = "2026-11-22T10:00:00Z") -> Json:
    """Feedback: a suggestion of the card was accepted."""
    uuid = card["uuid"] if isinstance(card, dict) else card
    return {"card": uuid, "outcome": "accepted", "outcomeTimestamp": at, "acceptedSuggestions": [{"id": str(uuid4())}]}


@pytest.fixture
def ehr_of(database: Engine) -> Callable[..., Ehr]:
    """Makes EHRs of one service."""
    keys = load_pseudonyms(database, None)
    runtime = replace(open_runtime(CONFIG), gate=ByName(), database=database, pseudonyms=keys)
    http = create_app(CONFIG, runtime=runtime).test_client()
    return lambda name="hospital", tenant=None: Ehr(http, {"X-Client": name} | ({"X-Tenant": tenant} if tenant else {}))


@pytest.fixture
def ehr(ehr_of: Callable[..., Ehr]) -> Ehr:
    """The EHR of one hospital."""
    return ehr_of()
