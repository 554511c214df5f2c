"""Calling back to a real FHIR server in another process, with whatever can go wrong (Must-show 3).

Every query with every fault, or in a hurry a third of these pairs (`tests.sizes`): answered in time, never a fault of ours, and
what was not read is never taken for what is not there.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from flask import Flask, Request

from server.application import create_app
from server.cds_hooks.envelope import HookCall
from server.cds_hooks.prefetch import TEMPLATES, Need, Prefetched, read_prefetch
from server.config import Config
from server.ehr.callback import Callback
from server.evaluation import evaluate
from server.runtime import open_runtime
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.end_to_end.conftest import end
from tests.server.absence import NEVER_CLAIMED, claims_of_absence, orders_of
from tests.server.answers import check_answer, diagnostics
from tests.server.charts import ANTI_TIF1, AS_OF, INSTANCE, Json, chart, hook_call, prefetch_of, slugs, whole, without_uuids
from tests.sizes import size

SECONDS = 0.8
"""For everything that one call fetches, where a fault lasts longer."""
PLENTY = 4.0
"""The same, where it does not."""
MARGIN = 0.7
"""For what else a call does, on a busy machine."""
TRIES = 3

TOKEN = "synthetic-token"

ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}

NOTHING_COMES: Mapping[str, Json] = {
    "fail": {"kind": "fail"},
    "denied": {"kind": "denied"},
    "expired": {"kind": "expired"},
    "gone": {"kind": "gone"},
    "busy, without end": {"kind": "busy", "value": "0"},
    "busy for an hour": {"kind": "busy", "value": "3600"},
    "busy, says rubbish": {"kind": "busy", "value": "soon"},
    "slow": {"kind": "slow", "seconds": 1.5},
    "drip": {"kind": "drip", "seconds": 3},
    "redirect": {"kind": "redirect"},
    "html": {"kind": "html"},
    "no-fhir": {"kind": "no-fhir"},
    "truncated": {"kind": "truncated"},
    "huge": {"kind": "huge"},
    "bomb": {"kind": "bomb"},
    "merged, says Epic": {"kind": "epic", "value": "4107"},
    "withheld, says Epic": {"kind": "epic", "value": "4130"},
    "perhaps more, says Epic": {"kind": "epic", "value": "4119"},
}
"""Faults after which nothing is known about a query."""

A_PART_COMES: Mapping[str, Json] = {
    "loop": {"kind": "loop"},
    "endless": {"kind": "endless"},
    "elsewhere": {"kind": "elsewhere"},
    "no link": {"kind": "no-link"},
}
"""Faults after which there may be more than was read; they are about pages, and a Patient has none."""

SEARCHED = [template.key for template in TEMPLATES if template.sort]
CLAIMED = [key for key in SEARCHED if key not in NEVER_CLAIMED and key != "conditions"]
TYPES = {template.key: template.resource_type for template in TEMPLATES}


@dataclass(frozen=True)
class Ehr:
    """An EHR: its FHIR server, and how it calls us."""

    base: str
    faults: Path

    def spoil(self, faults: Mapping[str, Json]) -> None:
        """Switch faults on, by prefetch key."""
        self.faults.write_text(json.dumps({TYPES.get(key, key): fault for key, fault in faults.items()}), "utf-8")

    def call_in_time(self, seconds: float) -> tuple[int, Json]:
        """Open a chart; status and answer.

        A machine that is busy elsewhere is late now and then; a service that waits too long would be late each time. Late or
        not, it says the same.
        """
        tries = [self.call(seconds=seconds)]
        while tries[-1][2] >= seconds + MARGIN and len(tries) < TRIES:
            tries.append(self.call(seconds=seconds))
        assert tries[-1][2] < seconds + MARGIN, [taken for *_, taken in tries]
        status, answer, _ = tries[0]
        assert [one[:2] for one in tries] == [(status, answer)] * len(tries)
        return status, answer

    def call(
        self, slug: str = ANTI_TIF1, prefetch: Json | None = None, seconds: float = PLENTY, **more: Any
    ) -> tuple[int, Json, float]:
        """Open a chart at a service that has met with no trouble yet; status, answer, seconds."""
        body = hook_call(slug, prefetch, fhirServer=self.base, fhirAuthorization={"access_token": TOKEN}) | more
        service = service_for(self.base, seconds).test_client()
        start = perf_counter()
        response = service.post("/cds-services/myositis-patient-view", json=body)
        taken = perf_counter() - start
        check_answer(response.status_code, response.headers, response.get_data())
        return response.status_code, without_uuids(response.get_json()), taken


class _Admits(Gate):
    """A gate that has seen the token of this client."""

    def __init__(self, client: Client) -> None:
        super().__init__((client,))

    def admit(self, request: Request, audiences: Any) -> Caller:
        return Caller(self.clients[0])


class _Forgets(Callback):
    """Calls back without the memory of what went wrong in earlier calls, as a service does that has just started."""

    def complete(self, call: HookCall, client: Client) -> Prefetched:
        return Callback(self.config).complete(call, client)


@cache
def service_for(base: str, seconds: float) -> Flask:
    """A service that one EHR is registered at, and so long waits for it."""
    config = Config(fetch_seconds=seconds, today=lambda: AS_OF)
    client = Client("sandbox-ehr", fhir_servers=(base,))
    runtime = replace(open_runtime(config, clients=[client]), gate=_Admits(client), callback=_Forgets(config))
    return create_app(config, runtime=runtime)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    """The sandbox's FHIR API, started as its own process."""
    faults = tmp_path_factory.mktemp("ehr") / "faults.json"
    command = [sys.executable, "-m", "sandbox.fhir_server", "--port", "0", "--token", TOKEN, "--as-of", f"{AS_OF}"]
    with subprocess.Popen([*command, "--faults", str(faults)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Ehr(process.stdout.readline().split()[-1], faults)
        finally:
            end(process, signal.SIGTERM)


@pytest.fixture
def ehr(running: Ehr) -> Ehr:
    """Without faults."""
    running.spoil({})
    return running


def cards_of(prefetch: Json, slug: str = ANTI_TIF1) -> list[Json]:
    """The cards for what was sent, without a network."""
    return _cards_of(json.dumps(prefetch), slug)


@cache
def _cards_of(prefetch: str, slug: str) -> list[Json]:
    prefetched = read_prefetch(json.loads(prefetch))
    evaluation = evaluate(
        prefetched.parts, as_of=AS_OF, seed=INSTANCE, patient_id=slug, inputs=prefetched.inputs, issues=prefetched.issues
    )
    found: list[Json] = without_uuids(list(evaluation.cards))
    return found


def cards_of_whole(but: str = "") -> list[Json]:
    """The cards for everything that there is, but for one key, of which an error was sent."""
    return cards_of(whole() | ({but: ERROR} if but else {}))


def time_for(fault: Json) -> float:
    """How long to fetch."""
    return SECONDS if "seconds" in fault else PLENTY


def each_with(keys: Iterable[str], faults: Iterable[str]) -> list[tuple[str, str]]:
    """Each fault with each key; where the suite is in a hurry, with every third, so that each key meets a third of them."""
    kept = size(3, part=1)  # of three
    return [(key, fault) for i, key in enumerate(keys) for j, fault in enumerate(faults) if (i + j) % 3 < kept]


# --- when all is well


@pytest.mark.requirement("R-11", "R-17", "T-6", "T-8", "T-9")
@pytest.mark.parametrize("slug", slugs())
def test_what_is_fetched_gives_the_same_cards_as_what_is_sent(ehr: Ehr, slug: str) -> None:
    status, answer, _ = ehr.call(slug)
    assert status == 200
    assert answer["cards"] == cards_of(whole(slug), slug)


@pytest.mark.requirement("R-15", "OUT-07")
@pytest.mark.parametrize("key", SEARCHED)
def test_pages_are_followed_to_the_end(ehr: Ehr, key: str) -> None:
    ehr.spoil({key: {"kind": "paginated", "value": "3"}})
    assert ehr.call()[:2] == (200, {"cards": cards_of_whole()})


@pytest.mark.requirement("R-17")
def test_only_what_was_not_sent_is_fetched(ehr: Ehr) -> None:
    ehr.spoil({"*": {"kind": "fail"}})
    assert ehr.call(prefetch=whole())[:2] == (200, {"cards": cards_of_whole()})


@pytest.mark.requirement("R-12", "OUT-10")
@pytest.mark.parametrize("fault", [{"kind": "empty"}, {"kind": "epic", "value": "4101"}], ids=["empty", "Epic's warning"])
@pytest.mark.parametrize("key", [key for key in SEARCHED if key != "conditions"])
def test_an_empty_answer_says_that_there_is_none(ehr: Ehr, key: str, fault: Json) -> None:
    ehr.spoil({key: fault})
    assert ehr.call()[:2] == (200, {"cards": cards_of(whole() | {key: None})})


@pytest.mark.parametrize("key", ["medicationStatements", "medicationAdministrations"])
def test_a_resource_type_that_the_ehr_does_not_have_is_like_a_key_that_is_never_sent(ehr: Ehr, key: str) -> None:
    ehr.spoil({key: {"kind": "not-offered"}})
    without = {name: value for name, value in whole().items() if name != key}
    assert ehr.call()[:2] == (200, {"cards": cards_of(without)})


# --- each query, each fault


@pytest.mark.requirement("R-18", "T-10.a", "H-7", "SAF-08")
@pytest.mark.requirement("OUT-03", "OUT-05", "OUT-06", "OUT-08", "OUT-09", "OUT-10", "OUT-11", "OUT-12")
@pytest.mark.parametrize(("key", "fault"), each_with(TYPES, NOTHING_COMES))
def test_what_was_not_answered_is_not_known(ehr: Ehr, key: str, fault: str) -> None:
    ehr.spoil({key: NOTHING_COMES[fault]})
    status, answer = ehr.call_in_time(time_for(NOTHING_COMES[fault]))
    if key == "conditions":
        assert status == 412
        assert "prefetch key conditions" in diagnostics(answer)
        return
    assert status == 200
    complete, told = cards_of_whole(), cards_of_whole(but=key)
    assert answer["cards"] == told
    assert orders_of(told) <= orders_of(complete)
    assert claims_of_absence(told, [TYPES[key]]) == []


@pytest.mark.requirement("R-15", "OUT-07", "SAF-08")
@pytest.mark.parametrize(("key", "fault"), each_with(SEARCHED, A_PART_COMES))
def test_what_came_is_used_and_what_may_be_missing_is_said(ehr: Ehr, key: str, fault: str) -> None:
    ehr.spoil({key: A_PART_COMES[fault]})
    status, answer = ehr.call_in_time(PLENTY)
    cut = whole()[key] or {"resourceType": "Bundle"}
    told = cards_of(whole() | {key: cut | {"link": [{"relation": "next", "url": "x"}]}})
    assert (status, answer) == (200, {"cards": told})
    assert orders_of(told) <= orders_of(cards_of_whole())
    assert claims_of_absence(told, [TYPES[key]]) == []


@pytest.mark.requirement("R-15", "OUT-10", "SAF-08")
@pytest.mark.parametrize("key", [key for key in SEARCHED if key in prefetch_of(chart(ANTI_TIF1))])
@pytest.mark.parametrize("cut", [{"total": 99}, {"link": [{"relation": "next", "url": "//[x"}]}], ids=["truncated", "paginated"])
@pytest.mark.parametrize("fault", [{"kind": "empty"}, {"kind": "epic", "value": "4101"}], ids=["empty", "Epic's warning"])
def test_an_empty_answer_is_not_believed_where_a_part_was_sent(ehr: Ehr, key: str, cut: Json, fault: Json) -> None:
    """Some were shown to the EHR's own user, and none to the token: there are some."""
    ehr.spoil({key: fault})
    part = whole()[key] | {"entry": whole()[key]["entry"][:1]} | cut
    status, answer, _ = ehr.call(prefetch=whole() | {key: part})
    told = cards_of(whole() | {key: part})
    if key == "conditions" and status == 412:
        assert told == []
        return
    assert (status, answer) == (200, {"cards": told})
    assert orders_of(told) <= orders_of(cards_of_whole())
    assert claims_of_absence(told, [TYPES[key]]) == []


@pytest.mark.parametrize("key", CLAIMED)
def test_these_tests_would_notice_what_was_taken_for_none(key: str) -> None:
    assert claims_of_absence(cards_of(whole() | {key: None}), [TYPES[key]])


@pytest.mark.requirement("SAF-01")
@pytest.mark.parametrize("key", [key for key in TYPES if key in prefetch_of(chart(ANTI_TIF1))])
def test_data_of_another_patient_refuse_the_call(ehr: Ehr, key: str) -> None:
    ehr.spoil({key: {"kind": "another-patient"}})
    status, answer, _ = ehr.call()
    assert status == 412
    assert diagnostics(answer).startswith("MYO-1201")
    assert "somebody-else" not in json.dumps(answer)


@pytest.mark.requirement("R-18", "OUT-13", "OUT-14", "T-10.a")
@pytest.mark.parametrize("fault", ["fail", "slow", "drip", "denied", "html", "busy for an hour"])
def test_where_nothing_at_all_is_answered_the_call_is_refused_in_time_and_the_keys_are_named(ehr: Ehr, fault: str) -> None:
    ehr.spoil({"*": NOTHING_COMES[fault]})
    status, answer = ehr.call_in_time(time_for(NOTHING_COMES[fault]))
    assert status == 412
    assert all(key in diagnostics(answer) for key in TYPES)


@pytest.mark.requirement("T-8", "T-12", "OUT-01", "OUT-16")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda base: {"fhirServer": None}, id="no server"),
        pytest.param(lambda base: {"fhirServer": f"{base}/other"}, id="another server"),
        pytest.param(lambda base: {"fhirAuthorization": None}, id="no token"),
        pytest.param(
            lambda base: {"fhirAuthorization": {"access_token": TOKEN, "patient": "healthy"}}, id="token of another patient"
        ),
        pytest.param(lambda base: {"fhirAuthorization": {"access_token": f"{TOKEN}\r\nX: y"}}, id="token with a line break"),
    ],
)
def test_without_a_registered_server_and_a_token_for_it_there_is_prefetch_only(ehr: Ehr, change: Callable[[str], Json]) -> None:
    minimal = prefetch_of(chart(ANTI_TIF1), only=("Patient", "Condition", "MedicationRequest"))
    status, answer, _ = ehr.call(prefetch=minimal, **change(ehr.base))
    assert (status, answer) == (200, {"cards": cards_of(minimal)})


def test_what_is_required_is_asked_for_first() -> None:
    needs = [template.need for template in TEMPLATES]
    assert needs[: needs.count(Need.REQUIRED)] == [Need.REQUIRED] * needs.count(Need.REQUIRED)
