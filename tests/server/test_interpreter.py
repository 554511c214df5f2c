"""How a process shares its interpreter: settled once, and by few at a time."""

import gc
import sys
import threading
from collections.abc import Iterator

import pytest

from fhir_profiles.assess import assess
from fhir_profiles.assessment import Assessment
from server import evaluation
from server.evaluation import AT_ONCE, evaluate
from server.interpreter import SWITCH_SECONDS, settle
from tests.server.charts import ANTI_TIF1, AS_OF, chart


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


def test_few_threads_evaluate_at_once_and_all_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    within, most = 0, 0
    counting, all_in = threading.Lock(), threading.Barrier(AT_ONCE)

    def counted(*arguments: object) -> Assessment:
        nonlocal within, most
        with counting:
            within += 1
            most = max(most, within)
        all_in.wait(10)  # as many as may be here are here together; one more would break the next round
        with counting:
            within -= 1
        return assess(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "assess", counted)
    answers: list[int] = []

    def call() -> None:
        made = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="one", patient_id=ANTI_TIF1)
        answers.append(len(made.cards))

    threads = [threading.Thread(target=call) for _ in range(4 * AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == AT_ONCE
    assert len(answers) == len(threads)
    assert len(set(answers)) == 1


def test_waiting_for_a_turn_is_a_phase_of_its_own() -> None:
    ticks = iter((0.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    made = evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="one", patient_id=ANTI_TIF1, timer=lambda: next(ticks))
    assert made.seconds["turn"] == 2.0
    assert made.seconds["read"] == 1.0
