"""What the trial with many patients at the same time sends."""

from soak.ehr import ehrs
from soak.many_patients import CLIENTS, PATIENTS, made


def test_everybodys_calls_hold_the_own_word_and_no_other() -> None:
    people = [*made(PATIENTS, ehrs(CLIENTS))]
    assert len({one.word for one in people}) == PATIENTS
    for one in people:
        for call in one.calls:
            assert one.word in call.body
            assert not [other.word for other in people if other is not one and other.word in call.body]
