"""`myositis-cds report feedback`: out of the database, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result

from server.command_line import main
from server.feedback.figures import Advice, Figures
from server.feedback.printed import as_csv
from tests.server.charts import Json
from tests.server.feedback.conftest import Ehr, accepted, of_topic, overridden

TOPIC = "lungFunction"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CANARY = "Erika-Mustermann-7391"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def report(database_url: str) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["report", "feedback", *arguments], env={"MYOSITIS_CDS_DATABASE_URL": database_url})

    return run


@pytest.fixture
def figures(report: Callable[..., Result]) -> Callable[..., Any]:
    """The report as JSON, about however few patients."""

    def run(*arguments: str) -> Any:
        result = report("--least", "1", *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return run


def rows_of(report: Json, card: Json) -> list[Json]:
    names = card["extension"]["org.myositis-cds.explanation"]["recommendations"]
    return [row for row in report["recommendations"] if row["recommendation"] in names and row["topic"] == TOPIC]


def test_each_recommendation_of_a_card_has_its_figures(ehr: Ehr, figures: Callable[..., Any]) -> None:
    cards = [of_topic(ehr.open_chart(f"patient-{number}"), TOPIC) for number in range(4)]
    ehr.send(accepted(cards[0]), overridden(cards[1], userComment=CANARY), overridden(cards[2]["uuid"]))
    report = figures()
    rows = rows_of(report, cards[0])
    assert len(rows) == len(cards[0]["extension"]["org.myositis-cds.explanation"]["recommendations"])
    for row in rows:
        assert row["knowledgeVersion"] == cards[0]["extension"]["org.myositis-cds.explanation"]["knowledgeVersion"]
        assert (row["service"], row["indicator"]) == ("myositis-patient-view", cards[0]["indicator"])
        assert (row["patients"], row["shown"], row["accepted"], row["overridden"], row["silent"]) == (4, 4, 1, 2, 1)
        assert row["reasons"] == {"cds-not-applicable": 1, "none": 1}
        assert row["acceptanceRate"]["value"] == 0.25
        assert row["overrideRate"]["value"] == 0.5
    assert (report["unknownCards"], report["least"]) == ([], 1)
    assert CANARY not in json.dumps(report)


@pytest.mark.requirement("FB-01")
def test_what_is_sent_twice_counts_once_and_the_latest_word_on_a_card_counts(ehr: Ehr, figures: Callable[..., Any]) -> None:
    card = of_topic(ehr.open_chart(), TOPIC)
    for _ in range(2):
        ehr.send(accepted(card, at="2026-11-22T10:00:02Z"))
        ehr.send(overridden(card, at="2026-11-22T10:00:01Z"))
    row = rows_of(figures(), card)[0]
    assert (row["shown"], row["accepted"], row["overridden"], row["reasons"]) == (1, 1, 0, {})


@pytest.mark.requirement("F-9", "FB-03")
def test_cards_that_are_not_ours_or_not_this_clients_are_counted_apart(
    ehr: Ehr, ehr_of: Callable[..., Ehr], figures: Callable[..., Any]
) -> None:
    card = of_topic(ehr.open_chart(), TOPIC)
    ehr.send(overridden("123456"), overridden("123456", at="2026-11-22T10:00:01Z"), accepted("7"))
    ehr_of("elsewhere").send(accepted(card))
    ehr.send(accepted(card), path="/cds-services/myositis-order-sign/feedback")
    assert rows_of(figures(), card)[0]["silent"] == 1
    assert figures()["unknownCards"] == [
        {"service": "myositis-order-sign", "accepted": 1, "overridden": 0},
        {"service": "myositis-patient-view", "accepted": 2, "overridden": 1},
    ]
    assert figures("--client", "elsewhere")["unknownCards"] == [
        {"service": "myositis-patient-view", "accepted": 1, "overridden": 0}
    ]


def test_one_client_can_be_looked_at(ehr: Ehr, ehr_of: Callable[..., Ehr], figures: Callable[..., Any]) -> None:
    card = of_topic(ehr.open_chart(), TOPIC)
    ehr_of("elsewhere").open_chart()
    assert rows_of(figures(), card)[0]["patients"] == 2
    assert rows_of(figures("--client", "hospital"), card)[0]["patients"] == 1
    assert figures("--client", "nobody")["recommendations"] == []


def test_a_period_is_of_whole_days_and_of_cards_shown(
    ehr: Ehr, figures: Callable[..., Any], clock: time_machine.Traveller
) -> None:
    clock.move_to("2026-11-22T23:59:59Z")
    card = of_topic(ehr.open_chart(), TOPIC)
    clock.move_to("2026-11-23T00:00:00Z")
    ehr.open_chart()
    ehr.send(accepted(card, at="2026-11-23T00:00:00Z"))

    def counted(*period: str) -> tuple[int, int]:
        row = rows_of(figures(*period), card)[0]
        return row["shown"], row["accepted"]

    assert counted() == (2, 1)
    assert counted("--until", "2026-11-22") == (1, 1)
    assert counted("--since", "2026-11-23") == (1, 0)
    assert counted("--since", "2026-11-22", "--until", "9999-12-31") == (2, 1)
    assert figures("--since", "2026-11-24")["recommendations"] == []


def test_unless_told_otherwise_numbers_about_fewer_than_five_patients_are_withheld(
    ehr: Ehr, report: Callable[..., Result]
) -> None:
    card = [of_topic(ehr.open_chart(f"patient-{number}"), TOPIC) for number in range(4)].pop()
    (row, *_) = rows_of(json.loads(report().stdout), card)
    assert {row[name] for name in ("patients", "shown", "accepted", "overridden", "silent", "acceptanceRate")} == {None}
    ehr.open_chart("patient-5")
    (row, *_) = rows_of(json.loads(report().stdout), card)
    assert (row["patients"], row["silent"]) == (5, 5)


def test_csv_has_the_same_figures(ehr: Ehr, report: Callable[..., Result], figures: Callable[..., Any]) -> None:
    cards = [of_topic(ehr.open_chart(f"patient-{number}"), TOPIC) for number in range(2)]
    ehr.send(overridden(cards[0]), overridden("123456"))
    rows = list(csv.DictReader(io.StringIO(report("--least", "1", "--format", "csv").stdout)))
    assert [row["recommendation"] for row in rows] == [
        *(row["recommendation"] for row in figures()["recommendations"]), "unknown cards"
    ]  # fmt: skip
    row = next(row for row in rows if row["topic"] == TOPIC)
    assert (row["patients"], row["overridden"], row["silent"], row["reasons"]) == ("2", "1", "1", "cds-not-applicable=1")
    assert (row["overrideRate"], row["needsReview"]) == ("0.5", "no")
    assert (rows[-1]["service"], rows[-1]["overridden"]) == ("myositis-patient-view", "1")


def test_csv_says_what_is_withheld(ehr: Ehr, report: Callable[..., Result]) -> None:
    ehr.open_chart()
    (row, *_) = csv.DictReader(io.StringIO(report("--format", "csv").stdout))
    assert {row[name] for name in ("patients", "shown", "accepted", "acceptanceRate", "reasons", "needsReview")} == {"withheld"}


@pytest.mark.requirement("CSV-01")
@pytest.mark.parametrize("beginning", list("=+-@\t\r"))
def test_no_spreadsheet_takes_a_text_for_a_formula(beginning: str) -> None:
    text = f"{beginning}1+1"
    row = Figures(
        Advice(text, text, text, text, text), patients=9, shown=9, cards={"accepted": 0, "overridden": 9, "silent": 0},
        reasons={text: 9}, is_complete=True,
    )  # fmt: skip
    (printed,) = csv.DictReader(io.StringIO(as_csv([row], {}), newline=""))
    assert printed["recommendation"] == printed["service"] == f"'{text}"
    assert printed["reasons"] == f"'{text}=9"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "2026-11-23", "--until", "2026-11-22"), "--since is after --until"),
        (("--since", "yesterday"), "--since"),
        (("--least", "0"), "--least"),
    ],
)
def test_what_cannot_be_asked_is_refused(report: Callable[..., Result], arguments: tuple[str, ...], words: str) -> None:
    result = report(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_database_without_tables_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    result = CliRunner().invoke(main, ["report", "feedback"], env={"MYOSITIS_CDS_DATABASE_URL": url})
    assert result.exit_code == 2
    assert "db upgrade" in result.stderr
