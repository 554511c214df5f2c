"""What the figures of a report mean: over tables written by hand, so that each patient is in sight."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cards.knowledge import Knowledge, load_knowledge
from server.basis import packaged_basis
from server.cohort.report.counting import Asked
from server.cohort.report.figures import figures
from server.cohort.report.shapes import Chart, Report, Table
from server.cohort.report.whole import Whole
from server.cohort.report.whom import wholes
from server.cohort.report.write import write_report
from server.cohort.rows import TABLES
from server.cohort.tables import duckdb
from tests.site import site_switching

PATIENT: dict[str, Any] = {
    "site": "north",
    "sex": "female",
    "age": 55,
    "deceased": False,
    "phenotype": "dermatomyositis",
    "certainty": "recorded",
    "phenotypes": "dermatomyositis",
    "severity": "unknown",
    "years_since_onset": 1,
    "active_malignancy": "unknown",
    "phase": "induction",
    "line": 1,
    "antibodies": 1,
    "positive": "",
    "borderline": "",
    "cards": 0,
    "resources": 1,
    "issues": 0,
    "refused": False,
}
STATEMENT: dict[str, Any] = {
    "site": "north",
    "topic": "tumourScreening",
    "kind": "computed",
    "outcome": "holds",
    "assumed": False,
    "orders": "",
    "conflicts": "",
    "missing": "",
}
ACCOUNT: dict[str, Any] = {
    "asOf": "2026-11-01",
    "knowledgeVersion": "made up",
    "software": "made up",
    "files": 0,
    "lines": 0,
    "badLines": 0,
    "filesNotRead": [],
    "kindsNotSent": {},
    "kindsIncomplete": [],
    "resources": {},
    "resourcesPassedOver": {},
    "patientsByKind": {},
}
REPEAT = "titulaer-2011-dm-repeat-3-6-months"
IBM_APART = "inclusion body myositis"
CT = "titulaer-2011-dm-ct-thorax-abdomen"


def counted(
    folder: Path, patients: list[dict[str, Any]], statements: list[dict[str, Any]], least: int = 1, known: Knowledge | None = None
) -> Report:
    """The figures of these patients, none withheld unless that is asked for, and with the packaged knowledge."""
    tables = {
        "patients": [PATIENT | one for one in patients],
        "recommendations": [STATEMENT | one for one in statements],
        "issues": [],
    }
    with duckdb(folder) as database:
        for name, rows in tables.items():
            lines = folder / f"{name}.ndjson"
            lines.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
            read = database.read_json(str(lines), format="newline_delimited", columns=dict(TABLES[name]))
            read.write_parquet(str(folder / f"{name}.parquet"))
    (folder / "run.json").write_text(json.dumps(ACCOUNT), "utf-8")
    return figures(folder, known or packaged_basis().knowledge, least, folder)


def cells(table: Table, label: str) -> dict[str, int | None]:
    """The numbers of a row that are not nought, by column."""
    (row,) = (row for row in table.rows if row.label == label)
    return {column: number for column, number in zip(table.columns, row.cells, strict=True) if number}


def bars(chart: Chart) -> dict[str, int | None]:
    """The numbers of a chart by label."""
    return {bar.label: bar.number for bar in chart.bars}


def by_row(table: Table) -> dict[str, tuple[int | None, ...]]:
    """Patients and cells of each row, with None for what is withheld."""
    return {row.label: (row.of, *row.cells) for row in table.rows}


def tumours(report: Report) -> Table:
    """Tumour screening by site."""
    (table,) = (one for one in report.due if one.title == packaged_basis().knowledge.topics["tumourScreening"].display)
    return table


def test_a_repeat_whose_last_day_has_passed_is_overdue_and_not_up_to_date(tmp_path: Path) -> None:
    statements = [
        {"patient": "late", "recommendation": CT, "outcome": "satisfied"},
        {"patient": "late", "recommendation": REPEAT, "due_state": "overdue"},
        {"patient": "now", "recommendation": REPEAT, "due_state": "due"},
        {"patient": "ahead", "recommendation": REPEAT, "outcome": "satisfied", "due_state": "upcoming"},
    ]
    report = counted(tmp_path, [{"patient": one} for one in ("late", "now", "ahead")], statements)
    assert cells(tumours(report), "north") == {"overdue": 1, "due now": 1, "up to date": 1}


def test_whether_a_repeat_is_overdue_cannot_be_told_where_the_tests_were_not_sent(tmp_path: Path) -> None:
    overdue = {"patient": "one", "recommendation": REPEAT, "due_state": "overdue", "assumed": True}
    assert cells(tumours(counted(tmp_path, [{"patient": "one"}], [overdue])), "north") == {"cannot be told": 1}


def test_a_calendar_that_ended_without_the_repeat_is_not_up_to_date(tmp_path: Path) -> None:
    ended = {"patient": "one", "recommendation": REPEAT, "outcome": "ended", "due_state": "ended"}
    assert cells(tumours(counted(tmp_path, [{"patient": "one"}], [ended])), "north") == {"ended, not repeated": 1}


def test_what_may_have_been_done_and_not_been_sent_does_not_count_as_holding(tmp_path: Path) -> None:
    statements = [
        {"patient": "seen", "recommendation": CT, "orders": "ct-thorax"},
        {"patient": "unseen", "recommendation": CT, "orders": "ct-thorax", "assumed": True},
        {"patient": "unclear", "recommendation": CT, "outcome": "unknown"},
    ]
    report = counted(tmp_path, [{"patient": one} for one in ("seen", "unseen", "unclear")], statements)
    assert cells(report.statements, CT) == {"holds": 1, "cannot be told": 2}


def test_the_dead_are_counted_once_and_in_no_chart(tmp_path: Path) -> None:
    report = counted(tmp_path, [{"patient": "lives"}, {"patient": "died", "deceased": True, "severity": "severe"}], [])
    assert (report.patients, report.confirmed, report.dead) == (2, 1, 1)
    assert {chart.of for chart in (*report.charts, report.disputes)} == {1}


def test_inclusion_body_myositis_stands_apart_in_figures_of_severity_and_of_treatment(tmp_path: Path) -> None:
    patients = [
        {"patient": "ibm", "phenotype": "inclusion-body-myositis", "phenotypes": "inclusion-body-myositis", "phase": "untreated"},
        {"patient": "dm"},
    ]
    shown = {chart.title: bars(chart) for chart in counted(tmp_path, patients, []).charts}
    assert shown["Treatment and the problem list"] == {"treated, not in remission on the problem list": 1, IBM_APART: 1}
    assert shown["Lines of systemic treatment so far"] == {"1": 1, IBM_APART: 1}
    assert shown["Severity"] == {"unknown": 1, IBM_APART: 1}
    assert shown["Phenotype"] == {"dermatomyositis": 1, "inclusion body myositis": 1}


def test_a_referral_that_is_due_is_no_lung_function_test_that_is_due(tmp_path: Path) -> None:
    referral = {"recommendation": "sunderkotter-2016-pft-abnormal-pulmonology", "orders": "pulmonology-referral"}
    screening = {"recommendation": "acr-chest-2023-screening", "orders": "pulmonary-function-test hrct-chest"}
    statements = [{"patient": "one"} | referral, {"patient": "two"} | referral, {"patient": "two"} | screening]
    report = counted(tmp_path, [{"patient": "one"}, {"patient": "two"}], statements)
    orders = packaged_basis().knowledge.orders
    assert bars(report.tests[0]) == {
        orders["pulmonology-referral"]["title"]: 2,
        orders["pulmonary-function-test"]["title"]: 1,
        orders["hrct-chest"]["title"]: 1,
    }


def test_a_screen_that_is_due_long_after_onset_stands_apart_and_so_does_the_basic_panel(tmp_path: Path) -> None:
    onsets = {"new": 2, "third": 3, "old": 16, "undated": None, "panel": 1}
    statements = [{"patient": one, "recommendation": CT, "orders": "ct-thorax"} for one in onsets if one != "panel"]
    statements.append({"patient": "panel", "recommendation": "imacs-2023-basic-panel", "orders": "chest-x-ray"})
    patients = [{"patient": one, "years_since_onset": years} for one, years in onsets.items()]
    patients[2]["active_malignancy"] = "yes"
    *_, by_time, by_malignancy = counted(tmp_path, patients, statements).tests
    assert bars(by_time) == {
        "under 3 years": 1,
        "3 to under 4 years": 1,
        "4 years or more": 1,
        "onset not known": 1,
        "basic panel of IMACS 2023 alone": 1,
    }
    assert bars(by_malignancy) == {"active malignancy on record": 1, "none on record, nor ruled out": 4}


def test_only_computed_statements_that_certainly_hold_make_a_disagreement_concern_a_patient(tmp_path: Path) -> None:
    statements = [
        {"patient": "concerned", "recommendation": CT, "conflicts": "C5"},
        {"patient": "unseen", "recommendation": CT, "conflicts": "C5", "assumed": True},
        {"patient": "stated", "recommendation": "imacs-2023-scope", "conflicts": "C5", "kind": "stated"},
    ]
    report = counted(tmp_path, [{"patient": one} for one in ("concerned", "unseen", "stated")], statements)
    assert [(bar.label[:3], bar.number) for bar in report.disputes.bars] == [("C5:", 1)]


def test_a_borderline_antibody_and_a_panel_with_gaps_are_not_all_negative(tmp_path: Path) -> None:
    known = len(packaged_basis().knowledge.definitions.antibodies)
    patients = [
        {"patient": "borderline", "borderline": "anti-mi-2"},
        {"patient": "one-negative", "antibodies": 1},
        {"patient": "all-negative", "antibodies": known},
        {"patient": "positive", "positive": "anti-jo-1", "borderline": "anti-mi-2"},
        {"patient": "untested", "antibodies": 0},
    ]
    (chart,) = (one for one in counted(tmp_path, patients, []).charts if one.title == "Myositis antibodies")
    assert bars(chart) == {
        "borderline only: to be confirmed": 1,
        "none positive, some not tested": 1,
        "none positive of all that are known here": 1,
        "positive for at least one": 1,
        "no result on record": 1,
    }


def test_a_number_that_is_withheld_cannot_be_had_from_the_widths_of_bars(tmp_path: Path) -> None:
    """Of ten all but one are due for one test, so that the number is withheld, and five for the other."""
    patients = [{"patient": f"{number}"} for number in range(10)]
    orders = {"pulmonary-function-test": 9, "hrct-chest": 5}
    statements = [
        {"patient": f"{number}", "recommendation": "acr-chest-2023-screening", "orders": order}
        for order, due in orders.items()
        for number in range(due)
    ]
    lung = counted(tmp_path, patients, statements, least=5).tests[0]
    assert [(bar.number, bar.share) for bar in lung.bars] == [(5, 1.0), (None, 0.0)]


def test_a_number_of_a_statement_that_is_withheld_cannot_be_had_from_its_place(tmp_path: Path) -> None:
    """All three hold for 30; of one three more have it done, which is withheld with the 30."""
    first, between, last = sorted((CT, "acr-chest-2023-screening", "imacs-2023-basic-panel"))
    patients = [{"patient": f"{number}"} for number in range(43)]
    statements = [
        {"patient": f"{number}", "recommendation": name, "outcome": "holds" if number < 30 else "satisfied"}
        for name in (first, between, last)
        for number in range(33 if name == between else 30)
    ]
    table = counted(tmp_path, patients, statements, least=5).statements
    assert [(row.label, row.of, row.cells) for row in table.rows] == [
        (first, 30, (30, 0)),
        (last, 30, (30, 0)),
        (between, 33, (None, None)),
    ]


def test_a_number_of_a_chart_that_is_withheld_cannot_be_had_from_its_place(tmp_path: Path) -> None:
    """With one that is small the next smallest is withheld, and stands below it."""
    kinds = {"dermatomyositis": 33, "polymyositis": 30, "overlap-myositis": 34, "inclusion-body-myositis": 3}
    patients = [
        {"patient": f"{kind}-{number}", "phenotype": kind, "phenotypes": kind}
        for kind, many in kinds.items()
        for number in range(many)
    ]
    (chart,) = (one for one in counted(tmp_path, patients, [], least=5).charts if one.title == "Phenotype")
    titles = packaged_basis().knowledge.definitions.phenotypes["titles"]
    assert [(bar.label, bar.number) for bar in chart.bars] == [
        (titles.get(kind, kind), number)
        for kind, number in {
            "overlap-myositis": 34,
            "dermatomyositis": 33,
            "inclusion-body-myositis": None,
            "polymyositis": None,
        }.items()
    ]


def test_labels_of_one_patient_each_are_not_told_by_their_sum(tmp_path: Path) -> None:
    """Dermatomyositis have 50 of 55: were that shown, five labels that are withheld would be five patients."""
    patients = [
        {"patient": f"{number}", "phenotype": "dermatomyositis" if number < 50 else f"rare {number}"} for number in range(55)
    ]
    report = counted(tmp_path, patients, [], least=5)
    (chart,) = (one for one in report.charts if one.title == "Phenotype")
    assert (chart.of, [bar.number for bar in chart.bars]) == (55, [None] * 6)


def test_how_many_have_myositis_stands_nowhere_where_it_tells_how_few_have_not(tmp_path: Path) -> None:
    """Of 40 patients 37 have it: three have not, which may be withheld and not be had by subtraction either.

    All 37 are asked for a screen, and 20 of them have not had it.
    """
    kinds = {"dermatomyositis": 17, "polymyositis": 12, "inclusion-body-myositis": 8}
    patients = [
        {"patient": f"{kind}-{number}", "phenotype": kind, "phenotypes": kind}
        for kind, many in kinds.items()
        for number in range(many)
    ]
    others = [{"patient": f"healthy-{number}", "phenotype": None, "certainty": None, "phenotypes": ""} for number in range(3)]
    due = [
        {"patient": one["patient"], "recommendation": CT} | ({"orders": "ct-thorax"} if number < 20 else {"outcome": "satisfied"})
        for number, one in enumerate(patients)
    ]
    report = counted(tmp_path, [*patients, *others], due, least=5)
    assert (report.patients, report.confirmed) == (40, None)
    for chart in (*report.charts, *report.tests, report.disputes):
        assert chart.of != 37
        assert sum(bar.number or 0 for bar in chart.bars) != 37
    assert by_row(report.statements) == {CT: (None, 20, None)}
    assert by_row(tumours(report)) == {"north": (None, 20, None)}
    of_the_living = [bar for chart in (*report.charts, report.tests[1]) for bar in chart.bars]
    assert any(bar.number for bar in of_the_living)
    assert all(bar.per_cent is None for bar in of_the_living)
    page = write_report(tmp_path, packaged_basis().knowledge, 5, tmp_path).read_text("utf-8")
    assert not re.search(r"\b37\b", page)


@pytest.mark.parametrize("sites", [("north",), ("north", "south")])
def test_whom_a_statement_does_not_concern_cannot_be_had_by_subtraction_where_they_are_few(
    tmp_path: Path, sites: tuple[str, ...]
) -> None:
    """Of 100 living it concerns 98: 60 of them have not been screened, half of them at each site if there are two."""
    patients = [{"patient": f"{number}", "site": sites[number % len(sites)]} for number in range(100)]
    due = [
        one | {"recommendation": CT} | ({"orders": "ct-thorax"} if number < 60 else {"outcome": "satisfied"})
        for number, one in enumerate(patients[:98])
    ]
    report = counted(tmp_path, patients, due, least=5)
    assert report.confirmed == 100
    assert by_row(report.statements) == {CT: (None, 60, None)}
    by_site = {
        1: {"north": (None, 60, None)},
        2: {"north": (None, None, None), "south": (None, None, None), "all sites": (None, None, None)},
    }
    assert by_row(tumours(report)) == by_site[len(sites)]


def test_where_many_are_left_how_many_a_statement_concerns_is_shown(tmp_path: Path) -> None:
    patients = [{"patient": f"{number}"} for number in range(100)]
    due = [one | {"recommendation": CT, "orders": "ct-thorax"} for one in patients[:90]]
    report = counted(tmp_path, patients, due, least=5)
    assert by_row(report.statements) == {CT: (90, 90)}


def test_of_several_sites_the_smallest_hides_how_few_no_statement_concerns(tmp_path: Path) -> None:
    """Of 100 living it concerns 97, so that neither these nor their parts may be added up."""
    sites = {"north": 40, "south": 35, "east": 22, "west": 3}
    patients = [{"patient": f"{site}-{number}", "site": site} for site, many in sites.items() for number in range(many)]
    due = [one | {"recommendation": CT, "orders": "ct-thorax"} for one in patients if one["site"] != "west"]
    assert by_row(tumours(counted(tmp_path, patients, due, least=5))) == {
        "north": (40, 40),
        "south": (35, 35),
        "east": (None, None),
        "all sites": (None, None),
    }


def test_advice_against_a_treatment_is_no_statement_that_waits_to_be_done(tmp_path: Path) -> None:
    statements = [
        {"patient": "one", "recommendation": CT, "orders": "ct-thorax"},
        {"patient": "one", "recommendation": "feasby-2007-no-ivig-ibm", "topic": "nextLineTherapy", "kind": "avoid"},
    ]
    report = counted(tmp_path, [{"patient": "one"}], statements)
    assert [row.label for row in report.statements.rows] == [CT]


def test_whoever_has_a_treatment_is_in_no_table_of_what_is_not_done(tmp_path: Path) -> None:
    glucocorticoid = {"recommendation": "drake-1996-glucocorticoids", "topic": "nextLineTherapy"}
    statements = [{"patient": "one", "recommendation": CT, "orders": "ct-thorax"}, {"patient": "one"} | glucocorticoid]
    report = counted(tmp_path, [{"patient": "one", "current": "systemic-glucocorticoid"}], statements)
    assert [row.label for row in report.statements.rows] == [CT]
    assert cells(report.treatments, "drake-1996-glucocorticoids") == {"applies": 1}
    assert report.treatments.columns == ("applies",)
    assert "Some take it already" in report.treatments.note


def at_sites(folder: Path, states: dict[str, dict[str, int]]) -> Table:
    """Tumour screening of so many at each site, small numbers withheld; `due` and `done` are the states."""
    patients, statements = [], []
    for site, numbers in states.items():
        for state, many in numbers.items():
            for number in range(many):
                who = {"patient": f"{site}-{state}-{number}", "site": site}
                done = {"outcome": "satisfied"} if state == "done" else {"orders": "ct-thorax"}
                patients.append(who)
                statements.append(who | {"recommendation": CT} | done)
    return tumours(counted(folder, patients, statements, least=5))


def test_below_the_sites_stand_their_sums(tmp_path: Path) -> None:
    table = at_sites(tmp_path, {"north": {"due": 6, "done": 7}, "south": {"due": 10, "done": 20}})
    assert [row.label for row in table.rows] == ["south", "north", "all sites"]
    assert (table.rows[-1].of, cells(table, "all sites")) == (43, {"due now": 16, "up to date": 27})


def test_a_site_that_is_withheld_cannot_be_had_from_its_place(tmp_path: Path) -> None:
    done = {"north": 26, "south": 23, "west": 20}
    table = at_sites(tmp_path, {site: {"due": 10, "done": many} for site, many in done.items()} | {"east": {"due": 2}})
    assert [(row.label, row.of) for row in table.rows] == [
        ("north", 36),
        ("south", 33),
        ("east", None),
        ("west", None),
        ("all sites", 101),
    ]


def test_one_site_is_all_sites(tmp_path: Path) -> None:
    assert [row.label for row in at_sites(tmp_path, {"north": {"due": 6, "done": 7}}).rows] == ["north"]


def test_a_sum_over_sites_tells_no_cell_that_is_withheld(tmp_path: Path) -> None:
    """Nobody is due elsewhere, so that the sum is that of one site: it is withheld too, with one that is large."""
    sites = {"north": {"due": 3, "done": 40}, "south": {"due": 0, "done": 50}, "east": {"due": 0, "done": 60}}
    assert by_row(at_sites(tmp_path, sites)) == {
        "east": (60, 0, 60),
        "south": (50, 0, 50),
        "north": (43, None, None),
        "all sites": (153, None, None),
    }


def test_sums_over_sites_of_enough_patients_are_shown_below_cells_that_are_withheld(tmp_path: Path) -> None:
    sites = {"north": {"due": 3, "done": 40}, "south": {"due": 30, "done": 50}, "east": {"due": 60, "done": 70}}
    assert by_row(at_sites(tmp_path, sites)) == {
        "east": (130, 60, 70),
        "south": (80, None, None),
        "north": (43, None, None),
        "all sites": (253, 93, 160),
    }


def test_of_few_patients_at_all_sites_nothing_is_shown(tmp_path: Path) -> None:
    sites = {"north": {"due": 2}, "south": {"due": 1, "done": 1}}
    assert set(by_row(at_sites(tmp_path, sites)).values()) == {(None, None, None)}


def test_a_site_called_all_sites_is_a_site(tmp_path: Path) -> None:
    table = at_sites(tmp_path, {"all sites": {"due": 6, "done": 7}, "south": {"due": 10, "done": 20}})
    assert [(row.label, row.of) for row in table.rows] == [("south", 30), ("all sites", 13), ("all sites", 43)]


BY_TIME, BY_MALIGNANCY = "Tumour screening due, by time since onset", "Tumour screening due, by known malignancy"


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ("imacs-2023-basic-panel", {BY_MALIGNANCY}),
        ("titulaer-2011-dm-every-6-months-4-years", {BY_MALIGNANCY}),
        (CT, set()),
        ("titulaer-2011-dm-mammography-women", {BY_TIME, BY_MALIGNANCY}),
    ],
)
def test_no_chart_speaks_of_a_statement_that_a_site_switched_off(tmp_path: Path, off: str, left: set[str]) -> None:
    known = load_knowledge(site=site_switching(tmp_path / "site", off=[off]))
    report = counted(tmp_path, [{"patient": "one"}], [], known=known)
    assert {BY_TIME, BY_MALIGNANCY} & {chart.title for chart in report.tests} == left


def test_the_limits_of_years_since_onset_are_those_of_the_statements(tmp_path: Path) -> None:
    known = packaged_basis().knowledge
    longer = [
        replace(rule, schedule=replace(rule.schedule, ends_after_months=72)) if rule.schedule and "4-years" in rule.id else rule
        for rule in known.rules
    ]
    due = {"patient": "one", "recommendation": CT, "orders": "ct-thorax"}
    patients = [{"patient": "one", "years_since_onset": 5}]
    report = counted(tmp_path, patients, [due], known=replace(known, rules=tuple(longer)))
    (by_time,) = (chart for chart in report.tests if chart.title == BY_TIME)
    assert bars(by_time) == {"3 to under 6 years": 1}
    assert "repeats its screen for 6" in by_time.note


def test_a_report_that_does_not_fit_even_by_way_of_the_disk_is_given_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(tmp_path, [{"patient": "one"}], [])
    given: list[str] = []

    def wholes_of_many(asked: Asked) -> tuple[Whole, Whole, Whole]:
        given.extend(*asked.rows("SELECT current_setting('memory_limit')"))
        asked.database.execute("FROM range(1000000) AS each(n) ORDER BY hash(n)")
        return wholes(asked)

    monkeypatch.setattr("server.cohort.report.figures.wholes", wholes_of_many)
    monkeypatch.setattr("server.cohort.tables.MEMORY", "1MB")
    assert figures(tmp_path, packaged_basis().knowledge, 1, tmp_path).patients == 1
    assert given == ["976.5 KiB", "488.2 MiB"]


def test_what_unknown_severity_means_stands_with_it(tmp_path: Path) -> None:
    (chart,) = (one for one in counted(tmp_path, [{"patient": "one"}], []).charts if one.title == "Severity")
    assert bars(chart) == {"unknown": 1}
    assert "neither fits full strength" in chart.note
    assert f"{packaged_basis().knowledge.definitions.treatment['activity_window_months']} months" in chart.note
