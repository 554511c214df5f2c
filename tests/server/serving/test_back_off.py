"""How soon a process that ended is started again."""

import pytest

from server.serving.back_off import GOOD_LIFE_SECONDS, LONGEST_SECONDS, BackOff


@pytest.mark.requirement("PR-01")
def test_a_crash_loop_becomes_slow_and_a_good_life_makes_up_for_it() -> None:
    back_off, waits = BackOff(), []
    for _ in range(10):
        back_off = back_off.after(life=0.1)
        waits.append(back_off.seconds)
    assert waits[:4] == [0.5, 1, 2, 4]
    assert waits[-1] == LONGEST_SECONDS
    assert back_off.after(GOOD_LIFE_SECONDS).seconds == 0
