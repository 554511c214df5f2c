"""The app against the sandbox's authorization server (Authlib's), both over HTTP on loopback, with a browser between them."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.serving import make_server

import sandbox
from sandbox.authorization.authorization import Authorization
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.smart_apps import myositis_app
from sandbox.chart_store import ChartStore
from sandbox.ehr import ehr_blueprints
from sandbox.keys import EhrKeys
from server.application import create_app
from server.http_server import create_http_server
from server.runtime import Runtime, open_runtime
from server.trust.clients import Client, SmartRegistration
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY
from tests.server.conftest import CONFIG

HOST = "127.0.0.1"


@dataclass
class Meeting:
    """The EHR and the service.

    Args:
        authorization: of the EHR.
        service: URL of the service.
        runtime: its parts.
        misbehaviour: what the EHR does wrong.
    """

    authorization: Authorization
    service: str
    runtime: Runtime
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)

    @property
    def base(self) -> str:
        """FHIR base URL of the EHR."""
        return self.authorization.addresses.fhir_base

    def launch(self, browser: requests.Session, patient: str = ANTI_TIF1, **more: Any) -> requests.Response:
        """Open the app from a chart, and go wherever one is sent."""
        return self.go(browser, {"iss": self.base, "launch": self.authorization.launch(patient, **more)})

    def go(self, browser: requests.Session, query: dict[str, str]) -> requests.Response:
        """Open the app."""
        return browser.get(f"{self.service}/smart/launch", params=query, timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def running() -> Iterator[Meeting]:
    """Both, started once."""
    ports = free_port(), free_port()
    ehr_url, service_url = (f"http://{HOST}:{port}" for port in ports)
    meetings: list[Meeting] = []
    authorization = Authorization(ChartStore(lambda: AS_OF), EhrKeys(), ehr_url, misbehaviour=lambda: meetings[0].misbehaviour)
    authorization.register(myositis_app(service_url))
    ehr = Flask(sandbox.__name__)
    frame = DictLoader({"page.html": "{% block main %}{% endblock %}"})  # the pages around it are not under test
    ehr.jinja_loader = ChoiceLoader([frame, FileSystemLoader(Path(sandbox.__file__).with_name("templates"))])
    for blueprint in ehr_blueprints(authorization):
        ehr.register_blueprint(blueprint)
    client = Client(
        "sandbox", issuer=ehr_url, jwks={"keys": []}, fhir_servers=(f"{ehr_url}/fhir",), smart=SmartRegistration("myositis-cds")
    )
    config = replace(CONFIG, port=ports[1], public_url=service_url)
    runtime = open_runtime(config, clients=[client])
    meetings.append(Meeting(authorization, service_url, runtime))
    servers = make_server(HOST, ports[0], ehr, threaded=True), create_http_server(create_app(config, runtime=runtime), config)
    threads = Thread(target=servers[0].serve_forever, daemon=True), Thread(target=servers[1].run, daemon=True)
    for thread in threads:
        thread.start()
    yield meetings[0]
    servers[0].shutdown()
    servers[0].server_close()
    servers[1].close()
    runtime.database.dispose()


@pytest.fixture
def meeting(running: Meeting) -> Iterator[Meeting]:
    """Both, with nothing going wrong until a test says so."""
    yield running
    running.misbehaviour = Misbehaviour()


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """A browser."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.requirement("SM-02", "SM-03", "SM-05", "SM-12")
def test_a_launch_passes_every_check_of_the_ehr(meeting: Meeting, browser: requests.Session) -> None:
    page = meeting.launch(browser)
    assert page.status_code == 200, page.text
    assert urlsplit(page.url).path.startswith("/smart/patient/")
    assert "Greta Sampleton" in page.text
    attempt = meeting.authorization.checks()[0]
    assert [check for check in (*attempt.authorization, *attempt.token) if not check.passed] == []
    assert (attempt.kind, attempt.passed, attempt.token_used) == ("EHR launch", True, True)


def test_a_launch_without_a_chart_passes_too_and_opens_who_was_chosen(meeting: Meeting, browser: requests.Session) -> None:
    asked = meeting.go(browser, {"iss": meeting.base})
    assert 'name="chosen_patient"' in asked.text
    kept = re.findall(r'name="kept_scope" value="([^"]+)"', asked.text)
    form = {"decision": "allow", "practitioner": "sandbox-neurologist", "chosen_patient": HEALTHY, "kept_scope": kept}
    page = browser.post(asked.url, data=form, timeout=20)
    assert (page.status_code, urlsplit(page.url).path.split("/")[:3]) == (200, ["", "smart", "patient"])
    assert meeting.authorization.checks()[0].passed
    refused = browser.post(meeting.go(browser, {"iss": meeting.base}).url, data={"decision": "deny"}, timeout=20)
    assert (refused.status_code, "MYO-1704" in refused.text) == (403, True)


@pytest.mark.parametrize(
    ("misbehaviour", "number"),
    [
        pytest.param(Misbehaviour(wrong_nonce=True), "MYO-1707", id="nonce", marks=pytest.mark.requirement("SM-05")),
        pytest.param(Misbehaviour(wrong_issuer=True), "MYO-1705", id="issuer", marks=pytest.mark.requirement("SM-04")),
        pytest.param(Misbehaviour(wrong_key=True), "MYO-1707", id="key", marks=pytest.mark.requirement("SM-05")),
        pytest.param(Misbehaviour(unsigned=True), "MYO-1707", id="unsigned", marks=pytest.mark.requirement("SM-05")),
        pytest.param(Misbehaviour(other_audience=True), "MYO-1707", id="audience", marks=pytest.mark.requirement("SM-05")),
        pytest.param(Misbehaviour(wrong_state=True), "MYO-1703", id="state", marks=pytest.mark.requirement("SM-02")),
        pytest.param(Misbehaviour(expired_code=True), "MYO-1706", id="code", marks=pytest.mark.requirement("SM-03")),
        pytest.param(Misbehaviour(no_patient=True), "MYO-1708", id="patient", marks=pytest.mark.requirement("SM-10")),
    ],
)
def test_an_ehr_that_does_something_wrong_opens_nothing(
    meeting: Meeting, browser: requests.Session, misbehaviour: Misbehaviour, number: str
) -> None:
    meeting.misbehaviour = misbehaviour
    page = meeting.launch(browser)
    assert page.status_code >= 400
    assert number in page.text
    assert "Sampleton" not in page.text
    assert "/smart/patient/" not in page.url


@pytest.mark.requirement("SM-10")
def test_scopes_that_are_silently_cut_are_noticed(meeting: Meeting, browser: requests.Session) -> None:
    meeting.misbehaviour = Misbehaviour(cut_scopes=("patient/Observation.rs",))
    page = meeting.launch(browser)
    assert page.status_code == 200
    assert "<strong>Results</strong>: this launch was not permitted to read them" in page.text


@pytest.mark.requirement("SM-11")
def test_a_token_of_seconds_is_renewed_until_the_ehr_refuses(meeting: Meeting, browser: requests.Session) -> None:
    meeting.misbehaviour = Misbehaviour(token_seconds=30)  # shorter than the minute before which it is renewed
    page = meeting.launch(browser)
    assert page.status_code == 200
    assert browser.get(page.url, timeout=20).status_code == 200
    assert meeting.authorization.checks()[0].refreshed == 2
    meeting.misbehaviour = Misbehaviour(token_seconds=30, refuse_refresh=True)
    ended = browser.get(page.url, timeout=20)
    assert (ended.status_code, "MYO-1709" in ended.text) == (401, True)


@pytest.mark.requirement("SM-13")
def test_whoever_closes_the_patient_has_given_the_token_back(
    meeting: Meeting, browser: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    access = meeting.authorization.access
    monkeypatch.setattr(
        meeting.authorization.memory, "by_access_token", _noting(meeting.authorization.memory.by_access_token, used)
    )
    page = meeting.launch(browser)
    assert access(used[-1]) is not None
    (token,) = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    left = browser.post(f"{page.url}/logout", data={"form_token": token}, headers={"Origin": meeting.service}, timeout=20)
    assert left.status_code == 200
    assert access(used[0]) is None
    assert browser.get(page.url, timeout=20).status_code == 401


def _noting(find: Any, used: list[str]) -> Any:
    def noting(token: str) -> Any:
        used.append(token)
        return find(token)

    return noting


@pytest.mark.requirement("SM-09")
def test_two_charts_in_two_tabs_stay_two(meeting: Meeting, browser: requests.Session) -> None:
    first, second = meeting.launch(browser), meeting.launch(browser, HEALTHY)
    assert first.url != second.url
    assert "Greta Sampleton" in browser.get(first.url, timeout=20).text
    assert "Greta Sampleton" not in browser.get(second.url, timeout=20).text
