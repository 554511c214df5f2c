"""What a run keeps of its knowledge, so that a later one can say what changed."""

import pytest

from server.basis import packaged_basis
from server.cohort.knowledge_kept import entries_behind, kept

WINDOW = "parameter activity_window_months"


@pytest.mark.parametrize("feature", ["severe-ild", "severe-dysphagia"])
def test_behind_a_statement_about_a_state_of_now_stand_the_months_for_which_it_counts(feature: str) -> None:
    known = kept(packaged_basis().knowledge)
    asking = [name for name, entry in known.items() if name.startswith("statement ") and f"'recorded': '{feature}'" in str(entry)]
    assert asking
    for name in asking:
        assert {f"feature {feature}", WINDOW} <= entries_behind(name.removeprefix("statement "), known)


def test_behind_a_statement_about_a_lasting_disease_no_window_stands() -> None:
    known = kept(packaged_basis().knowledge)
    behind = entries_behind("titulaer-2011-dm-pelvic-ultrasound-women", known)
    assert behind
    assert WINDOW not in behind
