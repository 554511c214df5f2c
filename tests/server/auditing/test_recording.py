"""One record for each call that was let in, with what was said and never what is in the chart."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Request
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from server.application import create_app
from server.cds_hooks.dialects import DIALECTS
from server.store.tables import audit_events, cards_shown
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.server.auditing.conftest import Start
from tests.server.auditing.rows import entries, faults
from tests.server.charts import ANTI_TIF1, HEALTHY, INSTANCE, chart, hook_call, prefetch_of
from tests.server.feedback.conftest import CLIENTS

VIEW = "/cds-services/myositis-patient-view"
TENANT = {"X-Tenant": "Maria-Muster-Clinic"}
CALL = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
PATIENT_WORDS = (ANTI_TIF1, "Practitioner/1", "Greta", "Sampleton", TENANT["X-Tenant"], "hospital.example")


@pytest.mark.requirement("AUD-01", "L-2")
def test_a_hook_call_is_recorded_with_what_was_said_and_with_nobody_in_it(start: Start, database: Engine) -> None:
    runtime, http = start(database)
    cards = http.post(VIEW, json=CALL, headers=TENANT).get_json()["cards"]
    http.post(VIEW, json=CALL)
    with_tenant, without_tenant = entries(database)
    said = {name for card in cards for name in card["extension"]["org.myositis-cds.explanation"]["recommendations"]}
    assert with_tenant["recommendations"] == sorted(said)
    assert with_tenant["cards"] == [card["uuid"] for card in cards]
    assert not said & set(with_tenant.get("withheld", ()))
    assert (with_tenant["client"], with_tenant["service"]) == ("hospital", "myositis-patient-view")
    assert (with_tenant["action"], with_tenant["outcome"], with_tenant["instance"]) == ("hook", "answered", INSTANCE)
    assert with_tenant["inputs"]["Condition"] == "present"
    assert with_tenant["knowledgeVersion"] == runtime.basis.knowledge.version
    for name in ("user", "tenant", "patient"):
        assert len(with_tenant[name]) == 64
    assert without_tenant["user"] != with_tenant["user"] != with_tenant["patient"]
    assert "tenant" not in without_tenant
    with database.connect() as connection:
        text = "".join(connection.scalars(select(audit_events.c.entry)))
        assert with_tenant["patient"] in set(connection.scalars(select(cards_shown.c.patient)))
    assert [word for word in PATIENT_WORDS if word in text] == []
    assert faults(database, runtime.pseudonyms.key_for("audit")) == []


@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_shown_is_recorded_in_every_dialect(
    start: Start, memory: Engine, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    monkeypatch.setitem(CLIENTS, dialect, Client(dialect, dialect=dialect))
    _, checked = start(memory)
    http = FlaskClient(checked.application)  # the other holds every answer against 2.0.1
    answers = [http.post(VIEW, json=CALL, headers={"X-Client": name}).get_json() for name in ("hospital", dialect)]
    by_client = {entry["client"]: entry for entry in entries(memory)}
    usual, recorded = by_client["hospital"], by_client[dialect]
    assert [len(usual["cards"]), len(recorded["cards"])] == [len(answer["cards"]) for answer in answers]
    said = ("recommendations", "withheld")
    assert [recorded.get(member) for member in said] == [usual.get(member) for member in said]
    with memory.connect() as connection:
        remembered = select(cards_shown.c.card).where(cards_shown.c.client == dialect)
        assert sorted(connection.scalars(remembered)) == sorted(recorded["cards"]) != []


@pytest.mark.requirement("AUD-01")
def test_what_is_refused_after_the_caller_was_let_in_is_recorded_by_its_number(start: Start, memory: Engine) -> None:
    _, http = start(memory)
    another = prefetch_of(chart(HEALTHY))["patient"]
    assert http.post(VIEW, json=CALL | {"prefetch": CALL["prefetch"] | {"patient": another}}).status_code == 412
    assert http.post(VIEW, json=hook_call("p1", None)).status_code == 412
    assert http.post(VIEW, json={"hook": "patient-view"}).status_code == 400
    assert http.post(VIEW, json=CALL | {"hookInstance": "Greta Sampleton"}).status_code in (200, 400)
    assert http.post("/assess?patient=nobody", json=[chart(ANTI_TIF1), chart(HEALTHY)]).status_code == 400
    assert http.post(f"{VIEW}/feedback", json={"feedback": [{}]}).status_code == 400
    assert http.post(f"{VIEW}/feedback", data=b"{", content_type="application/json").status_code == 400
    recorded = entries(memory)
    assert [one["outcome"] for one in recorded if one["outcome"] != "answered"] == [
        "MYO-1201", "MYO-1202", "MYO-1101", "MYO-1302", "MYO-1603", "MYO-1002",
    ]  # fmt: skip
    assert "patient" in recorded[0]
    assert "patient" not in recorded[2]
    assert [one for one in recorded if "Sampleton" in str(one)] == []


@pytest.mark.requirement("AUD-01")
def test_feedback_and_a_chart_that_was_given_whole_are_recorded(start: Start, memory: Engine) -> None:
    _, http = start(memory)
    assessed = http.post("/assess", json=chart(ANTI_TIF1)).get_json()
    uuid = str(uuid4())
    items = [
        {"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-22T10:00:00Z", "acceptedSuggestions": [{"id": "1"}]}
        for card in (uuid, "Greta Sampleton 1961")
    ]
    assert http.post(f"{VIEW}/feedback", json={"feedback": items}).status_code == 200
    assess, sent = entries(memory)
    assert (assess["service"], assess["action"], assess["outcome"]) == ("assess", "assess", "answered")
    assert assess["cards"] == [card["uuid"] for card in assessed["cards"]]
    assert (sent["action"], sent["service"], sent["cards"]) == ("feedback", "myositis-patient-view", [uuid])
    assert ANTI_TIF1 not in str(assess)


@dataclass(frozen=True, slots=True, eq=False)
class InShadow(Gate):
    """Lets everybody in as a client that is shown nothing."""

    def admit(self, request: Request, audiences: Any) -> Caller:
        return Caller(Client("trial", mode="shadow", topics_off=frozenset(["lungFunction"])))


@pytest.mark.requirement("AUD-01")
def test_what_held_and_was_not_shown_is_recorded_too(start: Start, memory: Engine) -> None:
    runtime, http = start(memory)
    http.post(VIEW, json=CALL)
    trial = create_app(runtime.config, runtime=replace(runtime, gate=InShadow())).test_client()
    trial.post(VIEW, json=CALL)
    everything, one = entries(memory)
    assert (one["client"], one["outcome"]) == ("trial", "shadow")
    unsaid = {*everything["recommendations"]} - {*one.get("recommendations", ())}
    assert unsaid
    assert unsaid <= {*one["withheld"]}


@pytest.mark.requirement("JWT-15")
def test_nothing_is_written_for_who_was_not_let_in(start: Start, memory: Engine) -> None:
    statements: list[str] = []
    runtime, _ = start(memory)
    event.listen(memory, "before_cursor_execute", lambda c, cursor, statement, *_: statements.append(statement))
    locked = replace(runtime, gate=Gate((Client("hospital", issuer="https://ehr.example"),)))
    http = create_app(runtime.config, runtime=locked).test_client()
    for path in (VIEW, f"{VIEW}/feedback", "/assess"):
        for headers in ({}, {"Authorization": "Bearer a.b.c"}):
            assert http.post(path, json=CALL, headers=headers).status_code == 401
    assert http.get("/smart/patient/somebody").status_code == 401
    assert [one for one in statements if not one.startswith("SELECT")] == []


@pytest.mark.requirement("AUD-01")
def test_a_call_is_written_in_one_transaction_with_its_cards(start: Start, database: Engine) -> None:
    _, http = start(database)
    http.post(VIEW, json=CALL)
    committed: list[bool] = []
    event.listen(database, "commit", lambda connection: committed.append(True))
    written: list[str] = []
    event.listen(
        database,
        "before_cursor_execute",
        lambda c, cursor, statement, *_: written.append(statement.split()[0]) if not statement.startswith("SELECT") else None,
    )
    http.post(VIEW, json=CALL | {"hookInstance": str(uuid4())})
    assert written == ["INSERT", "UPDATE", "INSERT", "UPDATE"]
    assert len(committed) <= 2  # that of the snoozes, which only reads, and this one
