"""Each alert, held by Prometheus' own promtool against series where it must fire and series where it must not."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOM = {"TMPDIR": "/dev/shm", "GOGC": "400"}  # noqa: S108 - a folder of its own, with hundreds of blocks that it flushes; GOGC: memory for time
ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
GROUPS = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
NAMES = [rule["alert"] for group in GROUPS for rule in group["rules"] if "alert" in rule]


def firing(
    folder: Path,
    name: str,
    series: Mapping[str, str],
    *,
    interval: str,
    turn: str,
    at: Mapping[str, Mapping[str, int]],
    groups: list[dict[str, Any]] | None = None,
) -> str:
    """What promtool has to say against it, which is asked about these alerts only: it evaluates every rule at every turn.

    Args:
        folder: for its file.
        name: of the file.
        series: values in promtool's notation, one each interval.
        interval: between two values.
        turn: between two evaluations of the rules.
        at: how many alerts fire, by time and name; 0 means that none did until then.
        groups: of rules, in place of those of the file.
    """
    questions = [
        {"expr": _question(alert, number), "eval_time": time, "exp_samples": [{"labels": "{}", "value": number}]}
        for time, alerts in at.items()
        for alert, number in alerts.items()
    ]
    told = [{"series": one if one.startswith("up{") else f"myositis_cds_{one}", "values": its} for one, its in series.items()]
    tests = {"interval": interval, "input_series": told, "promql_expr_test": questions}
    rules, file = folder / "alerts.yml", folder / f"{name}.yml"
    asked = {alert for alerts in at.values() for alert in alerts}
    rules.write_text(json.dumps({"groups": [*needed(asked, GROUPS if groups is None else groups)]}), "utf-8")
    file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": turn, "tests": [tests]}), "utf-8")
    return promtool("test", "rules", file)


def promtool(*asked: str | Path) -> str:
    """What it has to say against it."""
    program = shutil.which("promtool")
    assert program, "The tests of the alerts need promtool, and there is none. Install it with: make promtool"
    run = subprocess.run([program, *asked], capture_output=True, text=True, check=False, env=ROOM)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_prometheus_takes_the_file_as_it_is() -> None:
    assert not promtool("check", "rules", ALERTS)


def _question(alert: str, number: int) -> str:
    fires = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    return f"count({fires}) or vector(0)" if number else f"sum(count_over_time({fires}[70d])) or vector(0)"


def needed(alerts: Collection[str], groups: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The groups of these alerts, with what is recorded there for them and nothing else."""
    for group in groups:
        rules: list[Mapping[str, Any]] = []
        for rule in reversed(group["rules"]):
            is_read = any(rule.get("record", "nothing") in later["expr"] for later in rules)
            if is_read or rule.get("alert") in alerts:
                rules.insert(0, rule)
        if rules:
            yield {**group, "rules": rules}


# --- within minutes


@dataclass(frozen=True)
class Case:
    """One alert and series of an hour, a value each minute; whether it fires then."""

    alert: str
    fires: bool
    series: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.alert}-{'fires' if self.fires else 'is silent'}"


def requests(status: str, each_minute: int, client: str = "a") -> dict[str, str]:
    return {f'requests_total{{status="{status}",client="{client}"}}': f"0+{each_minute}x70"}


def fetches(**each_minute: int) -> dict[str, str]:
    return {
        f'fetches_total{{client="a",key="conditions",reason="{reason.replace("_", "-")}"}}': f"0+{number}x70"
        for reason, number in each_minute.items()
    }


def refused(values: str, reason: str = "expired", client: str = "a") -> dict[str, str]:
    return {f'tokens_refused_total{{client="{client}",reason="{reason}"}}': values}


def taking(within: int, longer: int) -> dict[str, str]:
    """Calls a minute that take less and more than half a second."""
    name = 'phase_seconds_bucket{service="v",phase="total",le="%s"}'
    return {name % le: f"0+{number}x70" for le, number in (("0.5", within), ("1.0", within + longer), ("+Inf", within + longer))}


def processes(**values: float) -> dict[str, str]:
    return {name: f"{value}x70" for name, value in values.items()}


QUICK = [
    Case("MyositisCdsDown", True, {'up{job="myositis-cds",instance="a"}': "0x70"}),
    Case("MyositisCdsDown", False, {'up{job="myositis-cds",instance="a"}': "1x20 0 1x50"}),
    Case("MyositisCdsErrors", True, requests("5xx", 2) | requests("2xx", 98)),
    Case("MyositisCdsErrors", False, requests("5xx", 1) | requests("2xx", 199)),
    Case("MyositisCdsSlow", True, taking(90, 10)),
    Case("MyositisCdsSlow", False, taking(99, 1)),
    Case("MyositisCdsBusy", True, processes(queue_length=20, threads=16)),
    Case("MyositisCdsBusy", False, processes(queue_length=10, threads=16)),
    Case("MyositisCdsConnections", True, processes(connections=900, processes=1)),
    Case("MyositisCdsConnections", False, processes(connections=900, processes=2)),
    Case("MyositisCdsMemory", True, processes(resident_memory_bytes=2_000_000_000, processes=1, open_files=50)),
    Case("MyositisCdsMemory", True, processes(resident_memory_bytes=500_000_000, processes=1, open_files=1_600)),
    Case("MyositisCdsMemory", False, processes(resident_memory_bytes=2_000_000_000, processes=2, open_files=1_600)),
    Case("MyositisCdsDatabaseTrouble", True, {"database_trouble_total": "0+1x70"}),
    Case("MyositisCdsDatabaseTrouble", False, {"database_trouble_total": "0x20 9x50"}),  # a restart of PostgreSQL
    Case("MyositisCdsAuditTrouble", True, {'audit_trouble_total{action="closed"}': "0x59 1x10"}),
    Case("MyositisCdsAuditTrouble", False, {'audit_trouble_total{action="closed"}': "0x70"}),
    Case("MyositisCdsDegraded", True, {'degraded{instance="a",reason="database"}': "1x70"}),
    Case("MyositisCdsDegraded", False, {'degraded{instance="a",reason="ehr-left-alone"}': "0x9 1x3 0x9 1x3 0x9 1x3 0x40"}),
    Case("MyositisCdsShadowMode", True, {"clients_in_shadow": "2x70"}),
    Case("MyositisCdsShadowMode", False, {"clients_in_shadow": "0x70"}),
    Case("MyositisCdsKnowledgeDiffers", True, {f'build_info{{knowledge_hash="{one}"}}': "1x70" for one in "ab"}),
    Case("MyositisCdsKnowledgeDiffers", False, {f'build_info{{version="{one}",knowledge_hash="a"}}': "1x70" for one in "ab"}),
    Case("MyositisCdsEhrLeftAlone", True, fetches(circuit_open=6, timeout=1, answered=1)),
    Case("MyositisCdsEhrLeftAlone", False, fetches(circuit_open=1, answered=9)),
    Case("MyositisCdsEhrLeftAlone", False, fetches(denied=9, answered=1) | {'breakers_open{client="a"}': "1x70"}),
    Case("MyositisCdsFetchesFail", True, fetches(denied=3, answered=7)),
    Case("MyositisCdsFetchesFail", False, fetches(denied=1, answered=9)),
    Case("MyositisCdsKeysMissing", True, {"clients_without_keys": "1x70"}),
    Case("MyositisCdsKeysMissing", False, {"clients_without_keys": "1x5 0x65"}),
    Case("MyositisCdsKeysOld", True, {'jwk_set_age_seconds{client="a"}': "20000+60x70"}),
    Case("MyositisCdsKeysOld", False, {'jwk_set_age_seconds{client="a"}': "0+60x60 0+60x10"}),
    Case("MyositisCdsTokensRefused", True, refused("0+1x70") | requests("2xx", 9)),
    Case("MyositisCdsTokensRefused", True, refused("0+1x70")),  # all of them; the requests are nobody's then
    Case("MyositisCdsTokensRefused", False, refused("0+6x70") | requests("2xx", 1000)),
    Case("MyositisCdsTokensRefused", False, refused("0x20 1x50")),  # one slip of somebody who tries
    Case("MyositisCdsStrangers", True, refused("0+90x70", "issuer", "unknown")),
    Case("MyositisCdsStrangers", False, refused("0+30x70", "issuer", "unknown")),
    Case("MyositisCdsReplays", True, refused("0+1x70", "replayed")),
    Case("MyositisCdsReplays", False, refused("0x20 2x50", "replayed")),
    Case("MyositisCdsClockWrong", True, {"jwt_iat_offset_seconds": "-45x70"}),
    Case("MyositisCdsClockWrong", False, {"jwt_iat_offset_seconds": "20x70"}),
]


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_an_alert_fires_within_the_hour_or_stays_silent(case: Case, tmp_path: Path) -> None:
    # `A+BxN` and `AxN` are N values more than the first.
    at = {"65m": {case.alert: int(case.fires)}}
    assert not firing(tmp_path, "quick", case.series, interval="1m", turn="1m", at=at)


# --- within days

HALF_HOURS = 48
Rate = Callable[[int], float]
"""Events a day, by the day."""


def grows(chance: random.Random, rate: Rate, days: int) -> str:
    """A counter of events that come by chance."""
    value, values = 0, ["0"]
    for turn in range(days * HALF_HOURS):
        expected = rate(turn // HALF_HOURS) / HALF_HOURS
        value += int(expected) + (chance.random() < expected % 1)
        values.append(str(value))
    return " ".join(values)


def hospital(days: int, all_calls: Rate, myositis: Rate, fired_share: Rate, seed: int = 7) -> dict[str, str]:
    """What Prometheus sees of a hospital, and of one rule in it."""
    chance = random.Random(seed)
    return {
        'evaluations_total{service="v",about="other"}': grows(chance, all_calls, days),
        'evaluations_total{service="v",about="myositis"}': grows(chance, myositis, days),
        'rule_outcomes_total{rule="r",outcome="fired"}': grows(chance, lambda day: myositis(day) * fired_share(day), days),
        'rule_outcomes_total{rule="r",outcome="unknown"}': grows(
            chance, lambda day: myositis(day) * (1 - fired_share(day)), days
        ),
    }


def always(value: float) -> Rate:
    return lambda _: value


def until(day: int, before: float, after: float = 0.0) -> Rate:
    return lambda today: before if today < day else after


def weekdays(value: float) -> Rate:
    return lambda today: value if today % 7 < 5 else 0.0


GONE, MYOSITIS_MOVED = "MyositisCdsNobodyHasMyositis", "MyositisCdsMyositisMoved"
RULE_MOVED, RULE_SILENT = "MyositisCdsRuleMoved", "MyositisCdsRuleSilent"
OVERRIDDEN = "MyositisCdsOverridden"
NONE = {GONE: 0, MYOSITIS_MOVED: 0, RULE_MOVED: 0, RULE_SILENT: 0}


def feedback(accepted: float) -> dict[str, str]:
    """Ten cards a day that are put aside, and some that are not."""
    rates = {"overridden": 10.0, "accepted": accepted}
    chance = random.Random(1)
    return {f'feedback_total{{recommendation="r",outcome="{one}"}}': grows(chance, always(rates[one]), 9) for one in rates}


SLOW: dict[str, tuple[dict[str, str], dict[str, dict[str, int]]]] = {
    "a general hospital, one in a thousand, until nobody is recognised": (
        hospital(44, always(1000), until(30, 1.5), always(0.3)),
        {"30d": NONE, "40d": {GONE: 1}},
    ),
    "a smaller one, one a day": (
        hospital(60, always(100), until(30, 1), always(0.3)),
        {"30d": NONE, "57d": {GONE: 1}},
    ),
    "a clinic for rheumatology, until nobody is recognised": (
        hospital(34, always(200), until(30, 40), always(0.3)),
        {"30d": NONE, "32d": {GONE: 1, MYOSITIS_MOVED: 1}},
    ),
    "a general hospital where nothing changes": (hospital(60, always(1000), always(1.5), always(0.3)), {"60d": NONE}),
    "a clinic where nothing changes, with weekends": (hospital(60, weekdays(200), weekdays(40), always(0.3)), {"60d": NONE}),
    "a hospital whose EHR does not call for a month": (
        hospital(60, until(30, 1000), until(30, 2), always(0.3)),
        {"60d": {GONE: 0, RULE_SILENT: 0}},
    ),
    "a small clinic, five evaluations a day, whose rule falls silent": (
        hospital(44, always(30), always(5), until(30, 0.4)),
        {"30d": NONE, "40d": {RULE_SILENT: 1, GONE: 0}},
    ),
    "a clinic where a rule fires for others than before": (
        hospital(34, always(200), always(60), until(30, 0.5, 0.1)),
        {"30d": NONE, "32d": {RULE_MOVED: 1, GONE: 0}},
    ),
    "cards that are always put aside": (feedback(accepted=0.3), {"8d": {OVERRIDDEN: 1}}),
    "cards that are put aside as often as not": (feedback(accepted=10), {"8d": {OVERRIDDEN: 0}}),
}


def _hurried(rules: str) -> str:
    """The same rules with each hour for a day: promtool keeps every two hours in a block of their own, which takes its time."""
    rules = re.sub(r"(\[|offset |interval: )(\d+)h", lambda found: f"{found[1]}{int(found[2]) * 150}s", rules)
    return re.sub(r"(\[|offset )(\d+)d", r"\1\2h", rules)


HURRIED = yaml.safe_load(_hurried(ALERTS.read_text("utf-8")))["groups"]


@pytest.mark.requirement("SAF-20")
@pytest.mark.parametrize("name", SLOW)
def test_what_falls_silent_is_noticed_however_small_the_hospital_and_nothing_else_is(name: str, tmp_path: Path) -> None:
    series, at = SLOW[name]
    at = {_hurried(f"[{time}]")[1:-1]: alerts for time, alerts in at.items()}
    assert not firing(tmp_path, "slow", series, interval="75s", turn="450s", at=at, groups=HURRIED)


def test_every_alert_was_seen_to_fire_and_to_be_silent() -> None:
    seen: set[tuple[str, Any]] = {(case.alert, case.fires) for case in QUICK}
    seen |= {(alert, bool(number)) for _, at in SLOW.values() for alerts in at.values() for alert, number in alerts.items()}
    assert seen == {(name, fires) for name in NAMES for fires in (True, False)}
