"""`/metrics`: what it counts, who may read it, and that nobody can make it grow."""

import random
import subprocess
import sys
from dataclasses import replace
from math import prod
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from cards.knowledge import knowledge
from cards.outcomes import OUTCOMES
from server.application import create_app
from server.cds_hooks.prefetch import TEMPLATES
from server.cds_hooks.prefetch_state import PrefetchState
from server.cds_hooks.services import SERVICES
from server.condition import HINDRANCES, LACKS
from server.config import AUDIT_MODES, ConfigurationError
from server.observing.figures import PHASES
from server.runtime import open_runtime
from server.trust.reasons import Reason
from tests.server.charts import ANTI_TIF1, Json, chart, dermatomyositis, hook_call, prefetch_of
from tests.server.conftest import CONFIG
from tests.server.feedback.conftest import ByName
from tests.server.observing.scraped import Scraped, since
from tests.server.trust.ehrs import Ehr

TOKEN = "0123456789abcdef0123456789abcdef"
VIEW = "myositis-patient-view"


def scrape(client: FlaskClient, **headers: str) -> Scraped:
    return Scraped(client.get("/metrics", headers=headers).text)


def view(client: FlaskClient, body: Json) -> Json:
    answer: Json = client.post(f"/cds-services/{VIEW}", json=body).get_json()
    return answer


# --- what is counted


def test_a_call_is_counted_with_its_phases_cards_and_rules(client: FlaskClient) -> None:
    before = scrape(client)
    cards = view(client, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))["cards"]
    after = scrape(client)
    assert since(before, after, "requests_total", endpoint="hooks.call", status="2xx", client="open") == 1
    assert since(before, after, "cards_total", service=VIEW) == len(cards) > 0
    for card in cards:
        topic = card["source"]["topic"]["code"]
        alike = [one for one in cards if (one["source"]["topic"]["code"], one["indicator"]) == (topic, card["indicator"])]
        assert since(before, after, "cards_total", topic=topic, indicator=card["indicator"]) == len(alike)
        for name in card["extension"]["org.myositis-cds.explanation"]["recommendations"]:
            assert since(before, after, "recommendation_cards_total", recommendation=name) == 1
    for phase in ("trust", "request", "fetch", "store", "read", "assess", "recommend", "cards", "audit", "total"):
        assert since(before, after, "phase_seconds_count", service=VIEW, phase=phase) == 1
    assert since(before, after, "phase_seconds_sum", service=VIEW, phase="total") < 5
    assert since(before, after, "evaluations_total", service=VIEW, about="myositis") == 1


def test_what_nobody_was_shown_in_shadow_mode_is_not_counted_as_shown() -> None:
    trial = create_app(CONFIG, runtime=replace(open_runtime(CONFIG), gate=ByName())).test_client()
    before = scrape(trial)
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    answer = trial.post(f"/cds-services/{VIEW}", json=call, headers={"X-Client": "in-shadow"})
    after = scrape(trial)
    assert answer.get_json() == {"cards": []}
    assert since(before, after, "evaluations_total", service=VIEW, about="myositis") == 1
    assert since(before, after, "rule_outcomes_total") > 0
    assert since(before, after, "cards_total") == since(before, after, "recommendation_cards_total") == 0


@pytest.mark.requirement("SAF-20")
def test_every_rule_that_was_held_against_a_patient_has_one_outcome(client: FlaskClient) -> None:
    before = scrape(client)
    view(client, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))
    after = scrape(client)
    asked = [rule.id for rule in knowledge().rules if not rule.said_by]
    assert [since(before, after, "rule_outcomes_total", rule=rule) for rule in asked] == [1] * len(asked)
    assert all(since(before, after, "rule_outcomes_total", outcome=one) > 0 for one in ("fired", "satisfied", "not-applicable"))


@pytest.mark.requirement("SAF-20")
def test_of_patients_without_myositis_the_rules_say_nothing(client: FlaskClient) -> None:
    healthy = dermatomyositis()
    healthy["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    before = scrape(client)
    assert view(client, hook_call("p1", healthy)) == {"cards": []}
    after = scrape(client)
    assert since(before, after, "evaluations_total", about="other") == 1
    assert since(before, after, "rule_outcomes_total") == 0


def test_feedback_is_counted_for_each_recommendation_of_its_card(client: FlaskClient) -> None:
    card = view(client, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))["cards"][0]
    before = scrape(client)
    item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-07-01T00:00:00Z"}
    client.post(f"/cds-services/{VIEW}/feedback", json={"feedback": [item]})
    after = scrape(client)
    for name in card["extension"]["org.myositis-cds.explanation"]["recommendations"]:
        assert since(before, after, "feedback_total", recommendation=name, outcome="overridden") == 1


@pytest.mark.requirement("JWT-17")
def test_a_caller_that_is_not_let_in_is_counted_by_reason(client: FlaskClient) -> None:
    before = scrape(client)
    client.post(f"/cds-services/{VIEW}", json={}, headers={"X-Forwarded-For": "192.0.2.1"})
    after = scrape(client)
    assert since(before, after, "tokens_refused_total", reason="not-this-machine", client="unknown") == 1
    assert since(before, after, "requests_total", endpoint="hooks.call", status="4xx", client="none") == 1


def test_the_process_and_the_build_are_told(client: FlaskClient) -> None:
    told = scrape(client)
    assert 10 * 2**20 < told("resident_memory_bytes") < 10 * 2**30
    assert told("open_files") > 3
    assert told("processes") == 1
    assert told("build_info", knowledge=knowledge().version, knowledge_hash=knowledge().digest) == 1


# --- who may read


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.mark.requirement("LOG-08")
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (None, 401),
        ("", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer ", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer \u00e9", 401),
    ],
)
def test_with_a_token_set_only_whoever_brings_it_may_read(token_file: Path, authorization: str | None, status: int) -> None:
    client = create_app(replace(CONFIG, metrics_token_file=token_file)).test_client()
    answer = client.get("/metrics", headers={} if authorization is None else {"Authorization": authorization})
    assert answer.status_code == status
    assert ("myositis_cds_" in answer.text) == (status == 200)


@pytest.mark.requirement("LOG-08")
@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, {}),
        ({}, {"X-Forwarded-For": "192.0.2.1"}),
        ({}, {"Host": "elsewhere.example"}),
    ],
)
def test_an_open_service_shows_them_to_this_machine_only(client: FlaskClient, environ: Json, headers: dict[str, str]) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers=headers, environ_base=environ).status_code == 404


@pytest.mark.requirement("LOG-08")
def test_with_clients_and_without_a_token_there_is_no_such_page() -> None:
    ehr = Ehr("hospital", "https://hospital.example/jwks.json")
    config = replace(CONFIG, public_url="https://cds.example")
    client = create_app(config, runtime=open_runtime(config, clients=[ehr.client()])).test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {ehr.token()}"}).status_code == 404


@pytest.mark.requirement("LOG-08", "PR-06")
@pytest.mark.parametrize("content", [None, "", "too short", TOKEN[:-1]])
def test_a_token_that_is_none_stops_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN_FILE") as told:
        create_app(replace(CONFIG, metrics_token_file=file))
    assert content is None or not content or content not in str(told.value)


@pytest.mark.requirement("LOG-08")
def test_processes_that_begin_at_different_times_have_the_same_token(token_file: Path) -> None:
    """Those that are forked out of the one that read it."""
    config = replace(CONFIG, metrics_token_file=token_file)
    for text in (TOKEN, TOKEN[::-1]):
        token_file.write_text(text)
        client = create_app(config).test_client()
        assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


# --- nobody can make it grow


CANARY = "Canary7391"
_RANDOM_PLACES = ("path", "method", "header", "body", "feedback", "token", "service")


def hostile(client: FlaskClient, chance: random.Random, card: str) -> None:
    """One call of somebody who wants to be seen in the figures."""
    word = f"{CANARY}{chance.randrange(10**9)}"
    header = {"Authorization": f"Bearer {word}", "Host": chance.choice(("localhost", word)), "X-Client": word}
    place = chance.choice(_RANDOM_PLACES)
    if place == "path":
        client.get(f"/{word}/{word}")
    elif place == "method":
        client.open("/cds-services", method=word.upper())
    elif place == "header":
        client.get("/cds-services", headers=header)
    elif place == "service":
        client.post(f"/cds-services/{word}", json={}, headers=header)
    elif place == "feedback":
        item = {"card": chance.choice((card, word)), "outcome": word, "overrideReason": {"code": word}}
        client.post(f"/cds-services/{VIEW}/feedback", json={"feedback": [item]})
    else:
        client.post(f"/cds-services/{VIEW}", data=orjson.dumps({"hook": word, "hookInstance": word, word: word}))


@pytest.mark.requirement("LOG-03", "LOG-02")
def test_hostile_calls_cannot_make_the_figures_grow(client: FlaskClient) -> None:
    chance = random.Random(3)
    card = view(client, hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))))["cards"][0]["uuid"]
    for _ in range(400):
        hostile(client, chance, card)
    text = client.get("/metrics").text
    series = len(Scraped(text).samples)
    for _ in range(400):
        hostile(client, chance, card)
    after = client.get("/metrics").text
    assert len(Scraped(after).samples) == series
    assert CANARY not in text + after


REASONS = {"answered", "timeout", "no-connection", "untrusted", "redirect", "too-long", "unreadable", "denied", "not-offered"} | {
    "not-found", "busy", "server-error", "refused", "not-json", "not-fhir", "out-of-budget", "circuit-open", "no-address",
    "next-elsewhere", "loop", "too-many-pages", "too-many-resources", "incomplete",
}  # fmt: skip


def closed_sets(endpoints: set[str]) -> dict[str, set[str]]:
    """What each label may be."""
    known = knowledge()
    rules = {rule.id for rule in known.rules} | {rule.id for rule in known.safety}
    clients = {"open", "none", "unknown", "hospital", "hospital-1", "ehr", "clinic", "sandbox"}
    return {
        "endpoint": endpoints | {"none"},
        "status": {"1xx", "2xx", "3xx", "4xx", "5xx"},
        "client": clients,
        "service": set(SERVICES),
        "phase": {*PHASES, "other"},
        "about": {"myositis", "other"},
        "topic": set(known.topics),
        "indicator": {"info", "warning", "critical"},
        "recommendation": rules | {"other"},
        "rule": rules,
        "outcome": {*OUTCOMES, "accepted", "overridden"},
        "key": {template.key for template in TEMPLATES},
        "reason": REASONS
        | {state.replace(" ", "-") for state in PrefetchState}
        | set(Reason)
        | {"metrics", "silenced"}
        | {*HINDRANCES, *LACKS},
        "action": set(AUDIT_MODES),
        "le": {"0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"},
    }


OF_OTHER_TESTS = {"client", "endpoint"}
"""Tests before this one registered clients and made endpoints of their own; hostile calls, above, add none."""
CONSTANT = {"version", "commit", "knowledge", "knowledge_hash"}


@pytest.mark.requirement("LOG-03")
def test_every_label_is_of_a_closed_set_and_the_series_fewer_than_their_product() -> None:
    """In this process everything that the tests before did has been counted, too."""
    app = create_app(CONFIG)
    sets = closed_sets({rule.endpoint for rule in app.url_map.iter_rules()} | {"fail", "fault"})
    by_name: dict[str, set[frozenset[tuple[str, str]]]] = {}
    for (name, labels), _ in scrape(app.test_client()).samples.items():
        by_name.setdefault(name, set()).add(labels)
        for label, value in labels:
            if label not in CONSTANT | OF_OTHER_TESTS:
                assert value in sets[label], f"{name}: {label}"
    for series in by_name.values():
        labels = {label for one in series for label, _ in one} - CONSTANT
        assert len(series) <= prod(len(sets[label]) for label in labels)


# --- several processes


PROCESSES = """
import os, signal, sys
from pathlib import Path
from server.observing.processes import start_metrics, forget_ended_processes
folder = Path(sys.argv[1])
start_metrics(folder)
from server.observing import figures

def show():
    print(len(list(folder.iterdir())))
    print(figures.exposition().decode())
    print("---")

def begin():
    tell, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        figures.REQUESTS.labels("hooks.call", "2xx", "open").inc(3)
        figures.PHASE_SECONDS.labels("myositis-patient-view", "total").observe(0.02)
        figures.MEMORY.set(100)
        os.write(tell[1], b"+")
        os.read(told[0], 1)
    os.read(tell[0], 1)
    return child

figures.REQUESTS.labels("hooks.call", "2xx", "open").inc(4)
figures.MEMORY.set(10)
lives, *dies = begin(), begin(), begin()
show()
for _ in range(3):
    for child in dies:
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # what is left of it stays, as of a stranger's child
    forget_ended_processes()
    show()
    dies = [begin() for _ in dies]
for child in (lives, *dies):
    os.kill(child, signal.SIGKILL)
"""


@pytest.mark.requirement("PR-01")
def test_what_several_processes_count_is_added_up_and_the_dead_weigh_nothing_and_take_no_room(tmp_path: Path) -> None:
    stale = tmp_path / "figures" / "counter_1.db"
    stale.parent.mkdir()
    stale.write_bytes(b"left by an earlier start")
    run = subprocess.run(
        [sys.executable, "-c", PROCESSES, str(stale.parent)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    shown = [one.strip().partition("\n") for one in run.stdout.split("---\n")[:-1]]
    files = [int(number) for number, _, _ in shown]
    figures = [Scraped(text) for _, _, text in shown]
    assert [one("requests_total", endpoint="hooks.call") for one in figures] == [13, 13, 19, 25]
    assert [one("phase_seconds_count", phase="total") for one in figures] == [3, 3, 5, 7]
    assert [one("phase_seconds_bucket", phase="total", le="0.025") for one in figures] == [3, 3, 5, 7]
    assert [one("phase_seconds_bucket", phase="total", le="0.01") for one in figures] == [0] * 4
    assert figures[3]("phase_seconds_sum", phase="total") == pytest.approx(0.14)
    assert [one("resident_memory_bytes") for one in figures] == [310, 110, 110, 110]
    assert files[1] == files[2] == files[3] < files[0]


ONE_OF_SEVERAL = """
import sys
from pathlib import Path
from server.observing.processes import start_metrics
start_metrics(Path(sys.argv[1]))
from server.application import create_app
from server.config import Config
client = create_app(Config()).test_client()
client.get("/cds-services")
print(client.get("/metrics").text)
"""


def test_one_of_several_processes_shows_the_same_page(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ONE_OF_SEVERAL, str(tmp_path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    told = Scraped(run.stdout)
    assert told("requests_total", endpoint="discovery.discovery", status="2xx") == 1
    assert told("processes") == 1
    assert not told.values("processes", "pid") - {""}


@pytest.mark.requirement("SAF-22")
def test_other_knowledge_than_the_one_that_was_released_stops_the_start() -> None:
    open_runtime(replace(CONFIG, knowledge_hash=knowledge().digest.upper()))
    with pytest.raises(ConfigurationError, match="KNOWLEDGE_HASH"):
        open_runtime(replace(CONFIG, knowledge_hash="0" * 64))
