"""A large body waits for its turn unread; a small one waits for none."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO
from threading import Event
from types import ModuleType
from typing import Any
from weakref import ref

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_profiles.findings import Answer
from server import interpreter
from server.assessing import chart_input
from server.cds_hooks import evaluate_call
from server.config import THREADS
from server.evaluation import Evaluation, evaluate
from server.interpreter import LARGE_BODY_BYTES, LARGE_BODYS_PATIENCE_SECONDS, MOST_LARGE_BODIES, turn_with_a_large_body
from server.serving.waited import TOO_LONG_SECONDS
from server.stopwatch import Stopwatch
from tests.end_to_end.serving import wait_until
from tests.server.charts import dermatomyositis, hook_call

LARGE = LARGE_BODY_BYTES + 1
HOOK = "/cds-services/myositis-patient-view"


class Sent(BytesIO):
    """A body that says when somebody begins to read it."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.is_read = Event()

    def readinto(self, buffer: Any) -> int:
        self.is_read.set()
        return super().readinto(buffer)


@pytest.fixture
def all_taken() -> Iterator[ExitStack]:
    """All turns are taken; until it is closed."""
    with ExitStack() as turns:
        for _ in range(MOST_LARGE_BODIES):
            turns.enter_context(turn_with_a_large_body(LARGE, Stopwatch()))
        yield turns


def body_of(path: str, length: int) -> bytes:
    """A call of a patient, or a chart, with as many blanks behind it as are needed."""
    value = hook_call("p1", dermatomyositis()) if path == HOOK else list(dermatomyositis().values())
    return json.dumps(value).encode().ljust(length)


def post(client: FlaskClient, path: str, sent: Sent, length: int) -> TestResponse:
    return client.post(path, input_stream=sent, content_length=length, content_type="application/json")


def phases(client: FlaskClient, path: str, length: int) -> dict[str, float]:
    """Milliseconds of an answer's phases."""
    header = post(client, path, Sent(body_of(path, length)), length).headers["Server-Timing"]
    return {name: float(spent) for name, spent in re.findall(r"(\w+);dur=([0-9.]+)", header)}


@pytest.mark.parametrize("path", [HOOK, "/assess"])
def test_a_large_body_is_not_read_before_its_turn(path: str, client: FlaskClient, all_taken: ExitStack) -> None:
    sent = Sent(body_of(path, LARGE))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, client, path, sent, LARGE)
        assert not sent.is_read.wait(0.3)
        all_taken.close()
        assert answer.result(60).status_code == 200
    assert sent.is_read.is_set()


@pytest.mark.usefixtures("all_taken")
@pytest.mark.parametrize("path", [HOOK, "/assess"])
def test_a_small_body_waits_for_no_large_one(path: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 600)
    assert post(client, path, Sent(body_of(path, LARGE_BODY_BYTES)), LARGE_BODY_BYTES).status_code == 200


@pytest.mark.usefixtures("all_taken")
def test_whoever_has_waited_for_long_is_answered_all_the_same(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 0.1)
    assert post(client, HOOK, Sent(body_of(HOOK, LARGE)), LARGE).status_code == 200


@pytest.mark.usefixtures("all_taken")
@pytest.mark.parametrize("path", [HOOK, "/assess"])
def test_the_wait_of_a_large_body_is_a_phase_of_its_own(path: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 0.5)
    small, large = phases(client, path, LARGE_BODY_BYTES), phases(client, path, LARGE)
    assert set(large) - set(small) == {"large_body"}
    assert large["large_body"] > 400 > large["turn"]


def test_large_bodies_that_wait_leave_half_of_the_threads_to_small_ones(
    all_taken: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 60)
    went_on: list[int] = []

    def take() -> None:
        with turn_with_a_large_body(LARGE, Stopwatch()):
            went_on.append(1)

    with ThreadPoolExecutor(THREADS) as pool, all_taken:
        every = [pool.submit(take) for _ in range(THREADS)]
        wait_until(lambda: len(went_on) >= THREADS // 2)
        Event().wait(0.2)
        assert len(went_on) == THREADS // 2, "the others wait"
    for one in every:
        one.result(60)
    assert len(went_on) == THREADS


def test_nobody_is_late_for_having_come_behind_large_bodies_that_wait() -> None:
    assert LARGE_BODYS_PATIENCE_SECONDS < TOO_LONG_SECONDS


class Kept(dict[str, Answer]):
    """A member of an evaluation that can be asked for when it has gone."""


@pytest.mark.parametrize(("path", "module"), [(HOOK, evaluate_call), ("/assess", chart_input)], ids=["a hook", "assess"])
def test_whoever_gives_the_turn_up_keeps_nothing_of_the_chart(
    path: str, module: ModuleType, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ref[Kept]] = []
    left: list[object] = []
    give_back = interpreter._released

    def watched(*arguments: Any, **named: Any) -> Evaluation:
        evaluation = evaluate(*arguments, **named)
        kept = Kept(evaluation.triggers)
        made.append(ref(kept))
        return replace(evaluation, triggers=kept)

    @contextmanager
    def looking(lock: Any, is_ours: bool) -> Iterator[None]:
        with give_back(lock, is_ours):
            yield
            if lock is interpreter._LARGE_BODIES:
                left.extend(one() for one in made)

    monkeypatch.setattr(module, "evaluate", watched)
    monkeypatch.setattr(interpreter, "_released", looking)
    assert post(client, path, Sent(body_of(path, LARGE)), LARGE).status_code == 200
    assert left == [None]


def test_no_more_large_bodies_than_that_are_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 60)
    within, most = [0], [0]

    def hold() -> None:
        with turn_with_a_large_body(LARGE, Stopwatch()):
            within[0] += 1
            most[0] = max(most[0], within[0])
            Event().wait(0.02)
            within[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(hold) for _ in range(2 * THREADS)]:
            one.result(60)
    assert most[0] == MOST_LARGE_BODIES


def test_a_request_without_a_body_waits_for_none(all_taken: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LARGE_BODYS_PATIENCE_SECONDS", 600)
    with turn_with_a_large_body(None, Stopwatch()):
        all_taken.close()
