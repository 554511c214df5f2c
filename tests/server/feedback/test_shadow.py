"""Shadow mode: everything is worked out and recorded, and nobody is shown anything; the report says what they would have seen."""

import csv
import io
import json
import logging
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

from cards.choosing import LeftOut
from server.command_line import main
from server.feedback.shadow_figures import BINS, ShadowCall, call_figures
from server.store.tables import cards_shown, shadow_calls, snoozes
from tests.server.charts import ANTI_TIF1, HEALTHY, INSTANCE, chart, hook_call, prefetch_of
from tests.server.feedback.conftest import VIEW, Ehr, overridden
from tests.server.logged import lines

SHADOW = "in-shadow"
PREGNANT = "dermatomyositis-pregnant"
CANARY = "Erika-Mustermann-7391"


@pytest.fixture
def report(database_url: str) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["report", *arguments], env={"MYOSITIS_CDS_DATABASE_URL": database_url})
        assert (result.exit_code, result.stderr) == (0, "")
        return result

    return run


@pytest.mark.requirement("SAF-21")
def test_in_shadow_mode_nobody_is_shown_anything_and_feedback_silences_nothing(
    ehr_of: Callable[..., Ehr], database: Engine, report: Callable[..., Result], caplog: pytest.LogCaptureFixture
) -> None:
    """Not even what is critical: a clinician who is shown one alarm will take the silence afterwards for an all-clear."""
    caplog.set_level(logging.INFO)
    ehr, live = ehr_of(SHADOW), ehr_of()
    assert (ehr.open_chart(), ehr.sign("methotrexate", PREGNANT)) == ([], [])
    with database.connect() as connection:
        rows = connection.execute(select(cards_shown)).all()
        calls = connection.execute(select(shadow_calls).order_by(shadow_calls.c.service)).all()
    shown = live.open_chart(), live.sign("methotrexate", PREGNANT)
    assert all(row.is_shadow for row in rows)
    assert "critical" in {row.indicator for row in rows}
    assert [call.cards for call in calls] == [len(shown[1]), len(shown[0])]
    assert len(rows) == sum(call.cards for call in calls)
    said = [line for line in lines(caplog, "requests") if f"client={SHADOW}" in line]
    assert all("cards=0" in line and "outcome=shadow" in line and "shown=" not in line for line in said)
    assert len(said) == 2

    of_view = next(row.card for row in rows if row.service == "myositis-patient-view")
    reason = {"code": "cds-not-applicable"}
    assert ehr.send(overridden(of_view, reason=reason)).status_code == 200
    with database.connect() as connection:
        assert connection.execute(select(snoozes)).all() == []
    told = json.loads(report("feedback", "--client", SHADOW, "--least", "1").stdout)
    assert told["recommendations"] == []
    assert told["unknownCards"] == [{"service": "myositis-patient-view", "accepted": 0, "overridden": 1}]


@pytest.mark.requirement("SAF-01")
def test_what_is_refused_is_refused_in_shadow_mode_too(ehr_of: Callable[..., Ehr], database: Engine) -> None:
    ehr = ehr_of(SHADOW)
    foreign = ehr.post(VIEW, hook_call("somebody-else", prefetch_of(chart(ANTI_TIF1))))
    blind = ehr.post(VIEW, hook_call("p1", {}))
    assert (foreign.status_code, blind.status_code) == (412, 412)
    with database.connect() as connection:
        assert connection.execute(select(shadow_calls)).all() == []


def test_assess_answers_a_client_in_shadow_mode_since_whoever_calls_it_asks_for_the_answer(ehr_of: Callable[..., Ehr]) -> None:
    assert ehr_of(SHADOW).post("/assess", chart(ANTI_TIF1)).get_json()["cards"]


# --- the report


@pytest.mark.requirement("SAF-20", "SAF-21")
def test_the_report_says_what_would_have_been_shown_to_whom_and_how_often_nothing(
    ehr_of: Callable[..., Ehr], report: Callable[..., Result]
) -> None:
    ehr = ehr_of(SHADOW)
    for number in range(5):
        cards = ehr_of().open_chart(f"{CANARY}-{number}")
        ehr.open_chart(f"{CANARY}-{number}", **({"hookInstance": INSTANCE} if number == 0 else {}))
        ehr.open_chart(f"healthy-{number}", slug=HEALTHY)
    ehr.open_chart(f"{CANARY}-0", hookInstance=INSTANCE)  # the EHR did not get the answer, and asks again
    ehr.sign("methotrexate", PREGNANT)

    told = json.loads(report("shadow").stdout)
    sign, view = sorted(told["services"], key=lambda one: one["service"])
    nothing = sign["patients"], sign["calls"], sign["cardsPerCall"]
    assert {*nothing, *sign["callsByCards"].values(), *sign["callsWithCardsLeftOut"].values()} == {None}
    assert (view["patients"], view["calls"]) == (10, 10)
    assert view["callsByCards"] == dict.fromkeys(BINS, 0) | {"0": 5, str(len(cards)): 5}
    assert view["cardsPerCall"] == len(cards) / 2
    assert set(view["callsWithCardsLeftOut"]) == set(map(str, LeftOut))
    names = {name for card in cards for name in card["extension"]["org.myositis-cds.explanation"]["recommendations"]}
    rows = {row["recommendation"]: row for row in told["recommendations"] if row["service"] == "myositis-patient-view"}
    assert rows.keys() == names
    assert {(row["cards"], row["patients"], row["cardsComplete"]) for row in rows.values()} == {(5, 5, True)}
    assert "methotrexate-pregnancy" in {row["recommendation"] for row in told["recommendations"] if row["cards"] is None}

    lines = list(csv.DictReader(io.StringIO(report("shadow", "--format", "csv").stdout)))
    assert [line["row"] for line in lines].count("service") == 2
    assert next(line for line in lines if line["service"] == "myositis-patient-view")["calls with 0 cards"] == "5"
    assert {line["cards"] for line in lines if line["topic"] == "drugSafety"} == {"withheld"}
    text = report("shadow", "--format", "text").stdout
    assert "Calls in shadow mode" in text
    assert max(map(len, text.splitlines())) < 250
    assert CANARY not in text + json.dumps(told) + json.dumps(lines)
    assert json.loads(report("shadow", "--client", "hospital").stdout)["services"] == []
    assert json.loads(report("shadow", "--since", "2100-01-01").stdout)["recommendations"] == []
    assert report("shadow", "--until", "2000-01-01", "--format", "text").stdout.startswith("No call")
    live = json.loads(report("feedback", "--client", "hospital").stdout)
    assert {row["shown"] for row in live["recommendations"]} == {5}
    assert "overridden" in report("feedback", "--format", "text").stdout


def call(patient: int, cards: int = 1, **left_out: int) -> ShadowCall:
    return ShadowCall("view", ("ehr", str(patient)), cards, left_out)


def test_calls_with_something_left_out_are_counted_by_reason() -> None:
    (row,) = call_figures([call(n, 5, overCap=2) for n in range(6)] + [call(n, 9, repeated=1) for n in range(10, 17)], least=5)
    assert (row.calls, row.patients, row.by_cards["5"], row.by_cards["6 or more"]) == (13, 10, 6, 7)
    assert (row.left_out[LeftOut.OVER_CAP], row.left_out[LeftOut.REPEATED], row.left_out[LeftOut.SNOOZED]) == (6, 7, 0)
    assert row.cards_per_call == round((30 + 63) / 13, 2)


def test_no_number_is_about_fewer_patients_than_wanted_nor_can_be_had_by_subtraction() -> None:
    """One patient with a card over the cap: neither that number nor that of all the others is printed, nor the average."""
    (row,) = call_figures([*(call(n, 0) for n in range(9)), call(10, 5, overCap=1)], least=5)
    assert (row.calls, row.by_cards["5"], row.by_cards["0"], row.cards_per_call) == (10, None, None, None)
    assert row.left_out[LeftOut.OVER_CAP] is None
    assert row.left_out[LeftOut.SNOOZED] == 0


# --- thresholds and caps of a client


def test_a_client_is_shown_as_many_cards_and_of_such_weight_as_it_is_set_to(ehr_of: Callable[..., Ehr]) -> None:
    everything = ehr_of().open_chart()
    assert len(ehr_of("three-cards").open_chart()) == 3 < len(everything)
    assert [card["indicator"] for card in ehr_of("warnings-only").open_chart()] == [
        card["indicator"] for card in everything if card["indicator"] != "info"
    ]
