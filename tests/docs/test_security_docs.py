"""Every threat of the list is answered: by tests, or by a reason."""

import pytest

from scripts import security_docs, shown
from scripts.security_docs import meant, read, unknown_ids
from server.contract.requirements import threat_sections

THREATS = [row for section in threat_sections() for row in section.threats]

SERIES = {
    "JWT": 20, "OUT": 19, "IN": 15, "SAF": 23, "CARD": 9, "ERR": 1, "CORS": 1, "HDR": 1, "CSV": 1, "LOG": 8, "SM": 15, "DB": 7,
    "PR": 6, "AUD": 2, "FB": 4, "SUP": 4, "SEC": 2,
}  # fmt: skip
"""The reference list that the threats were taken from: how many there are of each series, numbered from 01 on."""


def test_no_threat_of_the_reference_list_is_missing_and_none_is_ours_alone() -> None:
    listed = [f"{series}-{number:02}" for series, count in SERIES.items() for number in range(1, count + 1)]
    assert sorted(row.id for row in THREATS) == sorted(listed)


def test_every_threat_has_tests_or_a_reason() -> None:
    assert [row.id for row in THREATS if row.id not in shown.tests() and len(row.why) < 15] == []


def test_the_page_is_what_threats_and_tests_say_now() -> None:
    assert not security_docs.is_stale(), "run python -m scripts.security_docs"


def test_cross_walks_and_figures_name_nothing_that_does_not_exist() -> None:
    assert unknown_ids() == set()


def test_every_risk_of_the_argonaut_assessment_leads_to_something_that_is_tested() -> None:
    argonaut, asvs = read("cross-walks")
    assert [row["id"] for row in argonaut["rows"]] == [f"R{number}" for number in range(1, 18)]
    assert [row["id"] for row in (*argonaut["rows"], *asvs["rows"]) if not set(meant(row)) & set(shown.tests())] == []


def test_a_figure_without_a_measurement_says_so() -> None:
    empty = [row for row in read("promises") if not row["measured"]]
    assert security_docs.page().count("| not measured yet |") == len(empty)


@pytest.mark.parametrize("row", read("promises"), ids=lambda row: row["figure"])
def test_a_figure_says_what_it_belongs_to(row: dict[str, object]) -> None:
    assert set(row) == {"figure", "target", "basis", "items", "measured"}
    assert row["items"]
