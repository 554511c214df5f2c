"""A client's language over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Request

from server.application import create_app
from server.config import Config
from server.runtime import open_runtime
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.server.charts import ANTI_TIF1, AS_OF, chart, hook_call, prefetch_of
from tests.server.languages.speech import speak_small

CONFIG = Config(today=lambda: AS_OF)
REASON = "{title} on the problem list ({details})"


@dataclass(frozen=True, slots=True, eq=False)
class OfLanguage(Gate):
    """Takes every caller for a client whose readers speak this language."""

    language: str | None = "en"

    def admit(self, request: Request, audiences: Sequence[str]) -> Caller:
        return Caller(Client("here", language=self.language))


def answered(language: str | None, **headers: str) -> list[dict[str, Any]]:
    runtime = replace(open_runtime(CONFIG), gate=OfLanguage(language=language))
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    client = create_app(CONFIG, runtime=runtime).test_client()
    response = client.post("/cds-services/myositis-patient-view", json=call, headers=headers)
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.get_json()["cards"]
    return found


def reasons(cards: list[dict[str, Any]]) -> set[str]:
    return {reason["text"] for card in cards for reason in card["extension"]["org.myositis-cds.explanation"].get("because", ())}


def test_a_client_is_answered_in_its_language(monkeypatch: pytest.MonkeyPatch) -> None:
    speak_small(
        monkeypatch,
        {REASON: "{title} in der Problemliste ({details})", "dermatomyositis": "Dermatomyositis", "since {day}": "seit {day}"}
        | {"active": "aktiv", "Lung function": "Lungenfunktion"},
    )
    english, german = answered("en"), answered("de")
    assert "dermatomyositis on the problem list (active, since July 2026)" in reasons(english)
    assert "Dermatomyositis in der Problemliste (aktiv, seit Juli 2026)" in reasons(german)
    assert "Lungenfunktion" in {card["source"]["topic"]["display"] for card in german}
    for one, other in zip(english, german, strict=True):
        assert one["source"]["topic"]["code"] == other["source"]["topic"]["code"]
        assert (one["uuid"], one["indicator"]) == (other["uuid"], other["indicator"])


def test_the_server_of_an_ehr_says_nothing_of_its_readers() -> None:
    assert answered(None, **{"Accept-Language": "de"}) == answered("en", **{"Accept-Language": "de"}) == answered("en")
