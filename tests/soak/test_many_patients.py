"""The trial with many patients at the same time, in its short form."""

from pathlib import Path

import pytest

from soak import many_patients
from soak.ehr import ehrs
from soak.many_patients import CLIENTS, PATIENTS, made


@pytest.mark.slow
@pytest.mark.requirement("SAF-05", "C-51")
def test_of_sixty_four_patients_at_once_nobody_is_in_anothers_answer(tmp_path: Path) -> None:
    found = many_patients.run(tmp_path, calls=2 * PATIENTS)
    assert found["calls"] >= 2 * PATIENTS
    assert (found["patients"], found["clients"]) == (PATIENTS, CLIENTS)
    assert (found["answersWithAForeignWord"], found["kept"]) == (0, True)


def test_everybodys_calls_hold_the_own_word_and_no_other() -> None:
    people = [*made(PATIENTS, ehrs(CLIENTS))]
    assert len({one.word for one in people}) == PATIENTS
    for one in people:
        for call in one.calls:
            assert one.word in call.body
            assert not [other.word for other in people if other is not one and other.word in call.body]
