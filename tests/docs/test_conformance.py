"""Every requirement is traced: to tests that name it, or to a reason for having none."""

from collections import Counter
from pathlib import Path

import pytest

from scripts import conformance_docs, shown
from scripts.requirement_tests import MarkerError, Shown, shown_in
from server.contract.requirements import APPLIES, LEVELS, requirement_sections, threat_sections

REQUIREMENTS = [row for section in requirement_sections() for row in section.requirements]
THREATS = [row for section in threat_sections() for row in section.threats]


def test_the_page_is_what_requirements_and_tests_say_now() -> None:
    assert not conformance_docs.is_stale(), "run python -m scripts.conformance_docs"


def test_no_id_stands_twice() -> None:
    times = Counter(row.id for row in (*REQUIREMENTS, *THREATS))
    assert [name for name, count in times.items() if count > 1] == []


def test_no_test_names_an_id_that_does_not_exist() -> None:
    assert set(shown.tests()) - {row.id for row in (*REQUIREMENTS, *THREATS)} == set()


def test_every_duty_of_ours_has_a_test_or_a_written_reason() -> None:
    bare = [row.id for row in REQUIREMENTS if row.is_duty and row.id not in shown.tests() and not row.why]
    assert bare == []


def test_a_written_reason_goes_once_there_is_a_test() -> None:
    assert [row.id for row in REQUIREMENTS if row.is_duty and row.why and row.id in shown.tests()] == []


def test_a_threat_with_a_test_has_no_reason_for_having_none() -> None:
    assert [row.id for row in THREATS if row.id in shown.tests() and row.why] == []


def test_what_does_not_apply_says_why() -> None:
    assert [row.id for row in REQUIREMENTS if row.applies == "not-applicable" and len(row.why) < 15] == []


def test_the_words_of_the_table_are_closed_sets() -> None:
    assert {row.level for row in REQUIREMENTS} <= set(LEVELS)
    assert {row.applies for row in REQUIREMENTS} <= set(APPLIES)
    versions = {version for row in REQUIREMENTS for version in row.versions.split()}
    assert versions <= {"all", "pre-1.0", "1.0", "1.1", "2", "3"}


# --- how markers are collected


def test_markers_are_collected_from_functions_and_from_their_parameters(tmp_path: Path) -> None:
    source = """
import pytest
MANY = [pytest.param(1, marks=pytest.mark.requirement("A-1"))]

@pytest.mark.requirement("A-2", "A-3")
@pytest.mark.parametrize("x", [*MANY, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.requirement("A-4")])])
def test_one(x): ...
"""
    (tmp_path / "test_a.py").write_text(source)
    assert shown_in(tmp_path) == (
        Shown("A-1", "test_a.py"),
        Shown("A-2", "test_a.py", "test_one"),
        Shown("A-3", "test_a.py", "test_one"),
        Shown("A-4", "test_a.py", "test_one"),
    )


TABLE = """
import pytest
def row(shows, value):
    return pytest.param(value, marks=pytest.mark.requirement(*shows.split()))
MANY = [row("A-1 A-2", 1), row("A-3", 2)]
"""


@pytest.mark.parametrize(
    "using",
    [
        "from tests.table import MANY\ndef test_one(): MANY\n",
        "from tests.table import MANY as ALL\nSOME = ALL[:1]\ndef test_one(): SOME\n",
        "from tests import table\ndef test_one(): table.MANY\n",
    ],
)
def test_a_table_of_another_file_may_have_a_function_that_makes_its_rows(tmp_path: Path, using: str) -> None:
    (tmp_path / "table.py").write_text(TABLE)
    (tmp_path / "test_a.py").write_text(using)
    assert [one.id for one in shown_in(tmp_path)] == ["A-1", "A-2", "A-3"]


HEAD = 'import pytest\nSHOWS = pytest.mark.requirement("A-1")\n'


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("test_a.py", HEAD, "no test runs"),
        ("test_a.py", f"{HEAD}def helper(): SHOWS\n", "no test runs"),
        ("test_a.py", f"{HEAD}def test_one(): ...\n", "no test runs"),
        ("test_a.py", '@pytest.mark.requirement("A-1")\ndef helper(): ...\n', "no test runs"),
        ("test_a.py", 'pytest.mark.requirement("A-1")\n', "no test runs"),
        ("helpers.py", '@pytest.mark.requirement("A-1")\ndef test_one(): ...\n', "no test runs"),
        ("table.py", TABLE, "no test runs"),
        ("test_a.py", '@pytest.mark.skip\n@pytest.mark.requirement("A-1")\ndef test_one(): ...\n', "may be skipped"),
        (
            "test_a.py",
            '@pytest.mark.skipif(X, reason="")\n@pytest.mark.requirement("A-1")\ndef test_one(): ...\n',
            "may be skipped",
        ),
        ("test_a.py", '@pytest.mark.xfail\n@pytest.mark.requirement("A-1")\ndef test_one(): ...\n', "may be skipped"),
        ("test_a.py", '@pytest.mark.requirement("A-1")\ndef test_one():\n    pytest.skip("later")\n', "may be skipped"),
        ("test_a.py", 'pytestmark = pytest.mark.skip\n@pytest.mark.requirement("A-1")\ndef test_one(): ...\n', "may be skipped"),
        (
            "test_a.py",
            'M = [pytest.param(1, marks=[pytest.mark.skip, pytest.mark.requirement("A-1")])]\ndef test_one(): M\n',
            "may be skipped",
        ),
    ],
)
def test_a_marker_where_no_test_is_sure_to_run_is_refused(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    (tmp_path / file).write_text(source)
    with pytest.raises(MarkerError, match=rf"{file}:\d+: .*{complaint}"):
        shown_in(tmp_path)


def test_a_marker_that_is_not_literal_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("import pytest\n@pytest.mark.requirement(NAME)\ndef test_one(): ...\n")
    with pytest.raises(MarkerError, match=r"test_a\.py:2: .*literal"):
        shown_in(tmp_path)


def test_a_requirement_without_test_is_counted_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance_docs, "tests", dict)
    head = conformance_docs.page().split("## ")[0]
    assert "neither 0" not in head
    assert "with tests 0, " in head
