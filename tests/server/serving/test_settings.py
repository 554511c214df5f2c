"""What is shown of the settings, and what is not."""

from dataclasses import fields

import pytest
from click.testing import CliRunner

from server.command_line import main
from server.config import Config
from server.serving.settings import settings_of

SECRET = "a-secret-0123456789"


@pytest.mark.requirement("SEC-01", "PR-06")
def test_settings_are_shown_with_their_source_and_without_secrets() -> None:
    environment = {
        "MYOSITIS_CDS_DATABASE_URL": f"postgresql+psycopg://cds:{SECRET}@db.example/cds?password={SECRET}",
        "MYOSITIS_CDS_TRACE_ENDPOINT": f"https://user:{SECRET}@traces.example:4318/v1/traces?key={SECRET}",
        "MYOSITIS_CDS_WORKERS": "3",
    }
    shown = CliRunner(env=environment).invoke(main, ["config", "show"])
    assert shown.exit_code == 0
    assert SECRET not in shown.output
    lines = {line.split()[0]: line for line in shown.output.splitlines()}
    assert lines["MYOSITIS_CDS_WORKERS"].endswith("3  (environment)")
    assert lines["MYOSITIS_CDS_CARD_CAP"].endswith("5  (default)")
    assert "PostgreSQL cds on db.example" in lines["MYOSITIS_CDS_DATABASE_URL"]
    assert "https://traces.example:4318" in lines["MYOSITIS_CDS_TRACE_ENDPOINT"]


def test_every_setting_that_can_be_set_is_shown_and_every_one_shown_can_be_set() -> None:
    shown = {setting.name: "1" for setting in settings_of(Config(), {})}
    assert len(shown) == len(fields(Config)) - 3
    usable = {"AUDIT": "closed", "DISCOVERY": "open", "HOST": "127.0.0.1", "PUBLIC_URL": "", "AUDIT_SPILL_FILE": ""}
    Config.from_environment(shown | {f"MYOSITIS_CDS_{name}": value for name, value in usable.items()})
