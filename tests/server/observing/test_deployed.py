"""The dashboard, the alerts and the runbook: they speak of figures that there are, and nobody is left without a next step."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.observing.figures import REGISTRY
from tests.for_each import for_each

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text("utf-8"))
GROUPS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))["groups"]
RUNBOOK = (ROOT / "docs/runbook.md").read_text("utf-8")

RULES = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]

WORDS = {"sum", "by", "rate", "increase", "abs", "count", "max", "or", "and", "unless", "offset", "topk"} | {
    "histogram_quantile", "Inf", "avg_over_time", "stddev_over_time", "count_over_time", "clamp_min",
    "sum_over_time", "vector", "on", "group_left", "sqrt",
}  # fmt: skip
OF_PROMETHEUS = {"up": {"job"}}
LABELS_RECORDED = {name: {"rule", "about", "outcome", "window"} for name in RECORDED}


def exported() -> dict[str, set[str]]:
    """Every series that the service exports, with its labels."""
    series: dict[str, set[str]] = {}
    for collector in set(REGISTRY._collector_to_names):
        (family,) = collector.describe()
        labels = set(getattr(collector, "_labelnames", ()))
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}[family.type]
        series |= {f"{family.name}{ending}": labels | ({"le"} if ending == "_bucket" else set()) for ending in endings}
    return series


def bare(query: str) -> str:
    """A query without strings, selectors, ranges and lists of labels."""
    query = re.sub(r'"[^"]*"', "", query)
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", query)
    return re.sub(r"\b(by|on|group_left)\s*\([^)]*\)", "by", re.sub(r"\boffset\s+\w+", "", query))


def names_in(query: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_:][\w:]*", bare(query))) - WORDS


def test_the_names_in_a_query_are_found() -> None:
    query = 'sum by (le, service) (rate(a_bucket{phase="x"}[5m])) / b:c:day offset 1d > 3 * clamp_min(d, 0.01)'
    assert names_in(query) == {"a_bucket", "b:c:day", "d"}


@for_each("query", QUERIES)
def test_every_figure_in_a_query_is_one_that_the_service_exports(query: str) -> None:
    assert names_in(query)
    assert names_in(query) <= set(exported()) | RECORDED | set(OF_PROMETHEUS)
    assert query.count("(") == query.count(")")


@for_each("query", QUERIES)
def test_every_label_in_a_selector_is_one_that_the_figure_has(query: str) -> None:
    for name, selector in re.findall(r"([\w:]+)\{([^}]*)\}", query):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector))
        assert labels <= (exported() | OF_PROMETHEUS | LABELS_RECORDED)[name]


@for_each("query", QUERIES)
def test_every_label_that_is_grouped_by_is_one_that_a_figure_has(query: str) -> None:
    grouped = {label.strip() for found in re.findall(r"\bby\s*\(([^)]*)\)", query) for label in found.split(",")}
    of_figures = [exported()[name] for name in names_in(query) & set(exported())]
    of_figures += [LABELS_RECORDED[name] for name in names_in(query) & RECORDED]
    assert grouped <= {"instance"}.union(*of_figures)


@pytest.mark.requirement("SAF-20", "JWT-20")
def test_a_rule_that_moves_and_a_clock_that_is_wrong_have_an_alert() -> None:
    by_name = {alert["alert"]: alert["expr"] for alert in ALERTS}
    moved = by_name["MyositisCdsRuleMoved"]
    assert "> 3 * clamp_min(stddev_over_time(myositis_cds:rule_fired_share:day[28d] offset 1d)" in moved
    assert by_name["MyositisCdsClockWrong"] == "abs(myositis_cds_jwt_iat_offset_seconds) > 30"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_is_wrong_and_leads_to_its_section(alert: dict[str, Any]) -> None:
    assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"
    for label in re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]):
        assert re.search(rf"\bby \([^)]*\b{label}\b", alert["expr"]) or label in _labels_kept(alert["expr"])


def _labels_kept(query: str) -> set[str]:
    """Of figures that no function sums up, and of recorded ones; an instance is what Prometheus adds."""
    of_figures = [exported().get(name, set()) for name in names_in(query)]
    return set().union(*of_figures, {"instance"}, {"rule"} if any(name in query for name in RECORDED) else set())


SECTIONS = dict(re.findall(r"^## (MyositisCds\w+)\n\n(.*?)(?=\n## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() -> None:
    assert [alert["alert"] for alert in ALERTS] == list(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_to_look_at_what_it_means_for_patients_and_what_to_do(name: str) -> None:
    found = re.findall(r"^\*\*(.+?):\*\* (.+)$", SECTIONS[name], re.MULTILINE)
    assert [title for title, _ in found] == ["Look at", "For patients", "Do"]
    assert all(len(text) > 30 for _, text in found)


def test_the_dashboard_can_be_imported() -> None:
    assert [one["name"] for one in DASHBOARD["__inputs"]] == ["DS_PROMETHEUS"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${DS_PROMETHEUS}"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    squares = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(squares) == len(set(squares))


def test_every_figure_is_on_the_dashboard_or_in_an_alert() -> None:
    shown = {name for query in QUERIES for name in names_in(query)}
    families = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in exported()}
    assert {one for one in families if not any(name.startswith(one) for name in shown)} == set()
