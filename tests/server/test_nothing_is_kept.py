"""After a call nothing of its body is left: not in the database, not in a file, not in the log (LOG-06)."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from server.application import create_app
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.conftest import CONFIG

CANARY = "canary7391"


@pytest.mark.requirement("LOG-06", "LOG-02")
def test_no_request_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The patient's id is the canary, and so are a name and a text; cards are shown, and remembered without it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    client = create_app(replace(CONFIG, database_url=f"sqlite:///{tmp_path / 'state.sqlite3'}")).test_client()
    prefetch = json.loads(json.dumps(prefetch_of(chart(ANTI_TIF1))).replace(ANTI_TIF1, CANARY))
    prefetch["patient"]["name"] = [{"family": CANARY}]
    prefetch["conditions"]["entry"][0]["resource"]["note"] = [{"text": CANARY}]
    authorization = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 1, "scope": "x", "subject": CANARY}
    call = hook_call(
        CANARY, prefetch, hookInstance=str(uuid4()), fhirServer=f"https://{CANARY}.example", fhirAuthorization=authorization
    )
    with caplog.at_level(logging.DEBUG):
        shown = client.post("/cds-services/myositis-patient-view", json=call).get_json()["cards"]
        client.post("/cds-services/myositis-patient-view", json=call | {"context": {}})
        client.post(f"/assess?patient={CANARY}", json=[*prefetch.values()])
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert shown[0]["uuid"].encode() in written  # so that something was written, and would be found
    assert CANARY.encode() not in written
    assert CANARY not in caplog.text
