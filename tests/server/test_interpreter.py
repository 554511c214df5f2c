"""How a process shares its interpreter: settled once, and by one thread at a time."""

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event

import pytest

from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from server import evaluation, interpreter
from server.basis import packaged_basis
from server.evaluation import evaluate
from server.interpreter import SWITCH_SECONDS, settle, turn_to_evaluate, turn_to_write
from tests.server.charts import ANTI_TIF1, AS_OF, chart

Turn = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Puts back what is settled for a whole process."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("as_it_was")
def test_a_settled_process_changes_threads_soon_and_collects_garbage_seldom() -> None:
    settle()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS, rel=0.01)
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] > 10_000


def test_one_thread_computes_at_a_time_and_all_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    within, most = 0, 0

    def counted(*arguments: object) -> Assessment:
        nonlocal within, most
        within += 1
        most = max(most, within)
        Event().wait(0.01)  # where another thread would come in
        within -= 1
        return assess(*arguments)  # type: ignore[arg-type]

    packaged_basis()
    monkeypatch.setattr(evaluation, "assess", counted)
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 60)
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(evaluate, [chart(ANTI_TIF1)], as_of=AS_OF, seed="1", patient_id=ANTI_TIF1) for _ in range(16)]
        answers = [len(one.result().cards) for one in made]
    assert most == 1
    assert len(set(answers)) == 1
    assert answers[0]


@pytest.mark.parametrize(
    ("turn", "patience"),
    [(turn_to_evaluate, "PATIENCE_SECONDS"), (turn_to_write, "WRITERS_PATIENCE_SECONDS")],
    ids=["an evaluation", "a writer"],
)
def test_whoever_does_not_get_a_turn_goes_on_without_one(turn: Turn, patience: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("PATIENCE_SECONDS", "WRITERS_PATIENCE_SECONDS"):
        monkeypatch.setattr(interpreter, seconds, 0.02 if seconds == patience else 60)
    reached = Event()

    def compute() -> None:
        with turn():
            reached.set()

    with ThreadPoolExecutor(1) as pool, turn_to_evaluate():
        pool.submit(compute).result(5)
    assert reached.is_set()


def test_a_writer_comes_before_the_evaluations_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One may have been next already; and a lock is no queue, so that of three times it must be so twice."""
    monkeypatch.setattr(interpreter, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(interpreter, "WRITERS_PATIENCE_SECONDS", 60)
    assert sorted(_evaluations_before_a_writer() for _ in range(3))[1] <= 1


def _evaluations_before_a_writer() -> int:
    """Of six that wait as it does."""
    order: list[str] = []

    def compute() -> None:
        with turn_to_evaluate():
            order.append("evaluation")
            Event().wait(0.05)

    def write() -> None:
        with turn_to_write():
            order.append("writer")

    with ThreadPoolExecutor(8) as pool, turn_to_evaluate():
        evaluations = [pool.submit(compute) for _ in range(6)]
        Event().wait(0.1)
        writer = pool.submit(write)
        Event().wait(0.1)
    for one in (*evaluations, writer):
        one.result(5)
    return order.index("writer")


def test_waiting_for_a_turn_is_a_phase_of_its_own() -> None:
    ticks = iter((0.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    made = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="one", patient_id=ANTI_TIF1, timer=lambda: next(ticks))
    assert made.seconds["turn"] == 2.0
    assert made.seconds["read"] == 1.0
