"""Whoever connects an EHR in shadow mode is told so everywhere, and is not told to expect a card."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from joserfc.jwk import ECKey

from server.application import create_app
from server.basis import packaged_basis
from server.command_line import main
from server.config import Config
from server.connecting.as_text import as_text
from server.connecting.page import as_html
from server.connecting.request_walk import walk
from server.connecting.sheet import make_sheet
from server.trust.clients import Client
from tests.server.charts import ANTI_TIF1, hook_call, whole
from tests.server.conftest import CONFIG

CLIENTS = """
[[client]]
name = "listens"
issuer = "https://ehr.example"
jwks_file = "keys.json"
mode = "shadow"
least_indicator = "warning"
requests_per_second = 7

[[client]]
name = "advises"
issuer = "https://other.example"
jwks_file = "keys.json"
"""
SHADOW = Client("listens", mode="shadow")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Config())


def run(folder: Path, *arguments: str) -> Result:
    file = folder / "clients.toml"
    file.write_text(CLIENTS)
    key = ECKey.generate_key("P-384", {"kid": "1", "alg": "ES384", "use": "sig"}).as_dict(private=False)
    (folder / "keys.json").write_text(json.dumps({"keys": [key]}))
    return CliRunner().invoke(
        main, list(arguments), env={"MYOSITIS_CDS_CLIENTS": str(file), "MYOSITIS_CDS_DATABASE_URL": "sqlite://"}
    )


def test_the_check_of_clients_prints_mode_threshold_and_rate(tmp_path: Path) -> None:
    listens, advises = run(tmp_path, "clients", "check").stdout.split("advises\n")
    assert "  mode: shadow: calls are evaluated and recorded, and no card is shown\n" in listens
    assert "  cards below warning: not shown\n" in listens
    assert "  requests per second: 7\n" in listens
    assert "  mode: advise\n" in advises
    assert "  cards of every indicator\n" in advises
    assert "  requests per second: as the service says\n" in advises


def test_the_doctor_warns_of_a_client_in_shadow_mode(tmp_path: Path) -> None:
    said = run(tmp_path, "doctor").stdout
    assert "warning listens: in shadow mode, so that no card is shown to anybody (SAF-21)" in said
    assert "report shadow" in said
    assert "advises: in shadow mode" not in said


def test_the_doctor_says_what_a_call_would_have_been_answered_with() -> None:
    body = json.dumps(hook_call(ANTI_TIF1, whole())).encode()
    *_, would = map(str, walk(body, SHADOW, CONFIG, packaged_basis()))
    *_, does = map(str, walk(body, Client("advises"), CONFIG, packaged_basis()))
    assert would == does.replace("would be", "would be, were the client not in shadow mode,")
    assert "cards" in would != does


def test_the_connection_sheet_says_that_every_answer_has_no_card(app: Flask) -> None:
    sheet, other = (make_sheet(Config(), packaged_basis(), one) for one in (SHADOW, Client("advises")))
    with app.app_context():
        for told, silent in ((as_text(sheet), as_text(other)), (as_html(sheet), as_html(other))):
            assert "every answer has no card" in told
            assert "hadow mode" not in silent
            assert "one card comes back" in silent
            assert "one card comes back" not in told
    assert (sheet.as_json()["is_in_shadow"], other.as_json()["is_in_shadow"]) == (True, False)
