"""How it is measured: a ratio holds whatever the pace of the machine, and what is compared is what is said."""

from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import ClassVar

import orjson
import pytest

from benchmarks.applications import UnexpectedAnswerError, called, environ_of
from benchmarks.bodies import AS_OF
from benchmarks.calls import SMALL, TYPICAL, order_select, patient_view, with_server, without_prefetch
from benchmarks.doubling import SUFFIX, Copies, doubled
from benchmarks.echo import ANSWER_BYTES, create_echo
from benchmarks.fhir_stub import answers_of
from benchmarks.load import Answers, Order, send
from benchmarks.measuring import FLOOR, Case, side_by_side
from benchmarks.timing import REST, medians, phases_of, with_rest
from server.basis import load_basis, packaged_basis
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.prefetch import TEMPLATES, read_prefetch
from server.cds_hooks.services import SERVICES
from server.evaluation import evaluate
from server.stopwatch import server_timing


def test_a_ratio_holds_on_a_machine_that_becomes_slower_all_the_time() -> None:
    calls = count()

    def taking(seconds: float) -> Case:
        return lambda times: seconds * 1.05 ** next(calls)

    found = side_by_side(taking(0.01), {"case": taking(0.03)}, rounds=9)
    assert found[FLOOR].ratio == 1
    assert found["case"].ratio == pytest.approx(3, rel=0.01)
    assert found["case"].milliseconds > 30


def test_phases_come_back_from_the_header_as_they_went_in() -> None:
    header = server_timing({"read": 0.0012, "audit": 0.0005})
    assert phases_of(header) == {"read": 1.2, "audit": 0.5}
    assert with_rest(phases_of(header), 2.0)[REST] == pytest.approx(0.3)
    assert medians([{"read": 1.0}, {"read": 9.0}, {"read": 2.0, "turn": 1.0}]) == {"read": 2.0, "turn": 1.0}


# --- what is sent


def test_every_call_is_the_same_but_for_its_instance() -> None:
    sent = patient_view(SMALL)
    one, other = (orjson.loads(sent.fresh(number)) for number in (1, 2))
    assert one.pop("hookInstance") != other.pop("hookInstance")
    assert one == other


def test_a_call_about_an_order_is_answered_about_it() -> None:
    service = SERVICES["myositis-order-select"]
    assert read_hook_call(orjson.loads(order_select(SMALL).body), service).selections == ("MedicationRequest/draft",)


def test_what_is_fetched_is_what_would_have_been_sent() -> None:
    base = "http://127.0.0.1:1/fhir"
    whole = read_prefetch(orjson.loads(with_server(TYPICAL, base).body)["prefetch"])
    assert all(not whole.states[template.key].is_worth_fetching for template in TEMPLATES)
    assert "prefetch" not in orjson.loads(without_prefetch(TYPICAL, base).body)
    prefetch = orjson.loads(patient_view(TYPICAL).body)["prefetch"]
    assert {kind: orjson.loads(body) for kind, body in answers_of(TYPICAL).items()}["Condition"] == prefetch["conditions"]


def test_the_echo_answers_next_to_nothing() -> None:
    _, body = called(create_echo(), environ_of(patient_view(TYPICAL)))
    assert ANSWER_BYTES * 0.8 < len(body) < ANSWER_BYTES * 1.2


def test_a_refusal_is_not_measured() -> None:
    environ = environ_of(patient_view(SMALL)) | {"REQUEST_METHOD": "GET"}
    with pytest.raises(UnexpectedAnswerError, match="405"):
        called(create_echo(), environ)


# --- twice the rules


@pytest.mark.parametrize("copies", list(Copies))
def test_the_doubled_knowledge_has_each_rule_twice(tmp_path: Path, copies: Copies) -> None:
    packaged, twice = packaged_basis(), load_basis(doubled(tmp_path / "twice", copies))
    for ours, theirs in ((packaged.knowledge.rules, twice.knowledge.rules), (packaged.knowledge.safety, twice.knowledge.safety)):
        ids = {rule.id for rule in ours}
        assert {rule.id for rule in theirs} == ids | {name + SUFFIX for name in ids}


def test_copies_hold_as_the_originals_do_or_for_nobody(tmp_path: Path) -> None:
    parts = list(orjson.loads(patient_view(SMALL).body)["prefetch"].values())
    said = {
        copies: {one.id for one in evaluate(parts, as_of=AS_OF, seed="seed", basis=load_basis(folder)).recommendations}
        for copies, folder in ((copies, doubled(tmp_path / copies.name, copies)) for copies in Copies)
    }
    originals = {one.id for one in evaluate(parts, as_of=AS_OF, seed="seed").recommendations}
    assert said[Copies.HOLD_FOR_NOBODY] == originals
    assert said[Copies.HOLD] >= originals
    assert len(said[Copies.HOLD]) > 1.5 * len(originals)


# --- the load


class _Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    instances: ClassVar[list[str]] = []
    tokens: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.instances.append(orjson.loads(body)["hookInstance"])
        self.tokens.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Server-Timing", "read;dur=1.00")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    _Counting.instances.clear()
    _Counting.tokens.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Counting) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_load_sends_as_many_requests_as_it_is_told_each_with_its_own_instance(port: int) -> None:
    answers = send(Order(port, patient_view(TYPICAL), connections=3, requests=20), first=7)
    assert answers.statuses == {200: 20}
    assert len(answers.waits) == len(set(_Counting.instances)) == 20
    assert answers.timings == ("read;dur=1.00",) * 20


def test_a_load_sends_each_token_once_and_ends_with_them(port: int) -> None:
    answers = send(Order(port, patient_view(SMALL), connections=2, seconds=30, tokens=("a", "b", "c")), first=1)
    assert sorted(map(str, _Counting.tokens)) == ["Bearer a", "Bearer b", "Bearer c"]
    assert len(answers.waits) == 3


def test_a_load_ends_after_its_time(port: int) -> None:
    answers = send(Order(port, patient_view(SMALL), connections=2, seconds=0.2), first=1)
    assert 0.2 <= answers.took < 5
    assert answers.per_second == pytest.approx(len(_Counting.instances) / answers.took)


def test_a_percentile_is_a_wait_that_was_seen() -> None:
    answers = Answers(1.0, tuple(number / 1000 for number in range(1, 101)), Counter({200: 100}), ())
    assert answers.percentile(0.5) == pytest.approx(51)
    assert answers.percentile(0.99) == pytest.approx(100)
