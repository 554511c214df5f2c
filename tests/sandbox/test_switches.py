"""What is switched: it reaches the FHIR API, the authorization server and the service, and is gone with the switch."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from sandbox.__main__ import main
from sandbox.application import create_sandbox
from sandbox.authorization.misbehaviour import SWITCHED, Misbehaviour
from sandbox.errors import DeskError
from sandbox.switches import Switches, misbehaviour_of
from tests.sandbox.conftest import AS_OF, StubService
from tests.sandbox.desks import KEYS, TIF1_GAMMA
from tests.sandbox.reading_pages import PATIENT, page, post
from tests.sandbox.service_and_ehr import both

CONFIGURATION = "/fhir/.well-known/smart-configuration"
LAUNCH = "/fhir/_services/smart/Launch"


def methods(client: FlaskClient) -> object:
    """The PKCE methods that the configuration names."""
    return client.get(CONFIGURATION).get_json()["code_challenge_methods_supported"]


def test_the_authorization_server_misbehaves_while_it_is_switched_and_the_banner_says_so(browser_of_pages: FlaskClient) -> None:
    html, _ = post(browser_of_pages, "/switches", prefetch="all", token="on", dialect="standard", authorization="plain-only")
    assert "authorization server: the configuration offers no S256" in html
    assert methods(browser_of_pages) == ["plain"]
    post(browser_of_pages, "/switches/normal")
    assert methods(browser_of_pages) == ["S256"]


def test_each_misbehaviour_is_one_of_its_own_and_there_is_no_other() -> None:
    switched = [misbehaviour_of(Switches(authorization=name)) for name in SWITCHED]
    assert len(set(switched)) == len(SWITCHED)
    assert Misbehaviour() not in switched
    assert misbehaviour_of(Switches()) is None
    with pytest.raises(DeskError, match="no such position"):
        Switches(authorization="sulking")


def test_a_file_says_what_goes_wrong_where_no_switch_does(service: StubService) -> None:
    app = create_sandbox(service.url, today=lambda: AS_OF, keys=KEYS, misbehaviour=lambda: Misbehaviour(plain_only=True))
    assert methods(app.test_client()) == ["plain"]


def test_another_patients_data_comes_over_the_fhir_api_too(service: StubService) -> None:
    client = create_sandbox(service.url, today=lambda: AS_OF, keys=KEYS, is_open=True).test_client()
    path = f"/fhir/Condition?patient={TIF1_GAMMA}"
    assert f"Patient/{TIF1_GAMMA}" in client.get(path).text
    post(client, "/switches", prefetch="none", token="on", dialect="standard", wrong_patient="on")
    answer = client.get(path)
    assert f"Patient/{TIF1_GAMMA}" not in answer.text
    assert answer.get_json()["entry"]
    assert answer.mimetype == "application/fhir+json"


def test_an_open_sandbox_is_read_and_launched_from_without_a_token(service: StubService, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Flask] = []
    monkeypatch.setattr("waitress.serve", lambda app, **settings: served.append(app))
    asked = {"parameters": {"patient": TIF1_GAMMA}}
    for more in ([], ["--open"]):
        assert CliRunner().invoke(main, ["--service-url", service.url, *more]).exit_code == 0
    (closed, opened) = (app.test_client() for app in served)
    for client, status in ((closed, 401), (opened, 200)):
        assert client.get(f"/fhir/Patient/{TIF1_GAMMA}").status_code == status
        assert client.post(LAUNCH, json=asked).status_code == status


def test_cards_are_german_for_a_client_that_reads_german(tmp_path: Path) -> None:
    with both(tmp_path) as here:
        here.ehr.desk.switches = Switches(dialect="de")
        (answer,) = here.ehr.desk.open_chart(TIF1_GAMMA)
    assert answer.trouble == ""
    assert "Lungenfunktion" in str(answer.response)


def test_what_a_service_says_is_marked_with_its_language(browser_of_pages: FlaskClient) -> None:
    assert '<div class="detail" lang="en">' in page(browser_of_pages, PATIENT)[0]
    post(browser_of_pages, "/switches", prefetch="all", token="on", dialect="de")
    assert '<div class="detail" lang="de">' in page(browser_of_pages, PATIENT)[0]
