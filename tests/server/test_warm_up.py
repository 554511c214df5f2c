"""After the warm-up the first caller waits no longer than the others."""

import subprocess
import sys

import orjson
import pytest

from fhir_profiles.codes import Terminology
from server import warm_up
from server.basis import packaged_terminology as terminology
from server.warm_up import SelfTestError

WHAT_A_REQUEST_OPENS = """
import sys
from datetime import date
from server.evaluation import evaluate
from server.warm_up import warm_up
from tests.server.charts import chart, slugs

charts = [chart(slug) for slug in slugs()]
warm_up()
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event in ("open", "import") else None)
for bundle in charts:
    evaluate([bundle], as_of=date(2026, 11, 22), seed="seed")
print(len(charts), opened)
"""


def test_no_request_opens_a_file_or_imports_a_module() -> None:
    run = subprocess.run([sys.executable, "-c", WHAT_A_REQUEST_OPENS], capture_output=True, text=True, check=True, timeout=60)
    count, _, opened = run.stdout.strip().partition(" ")
    assert int(count) >= 24
    assert opened == "[]"


def test_every_code_of_the_made_up_patient_is_one_of_ours() -> None:
    known: Terminology = terminology()
    for resource in orjson.loads(warm_up._PATIENT.read_bytes()):
        code = resource.get("code") or resource.get("medicationCodeableConcept")
        assert (code is None) == (resource["resourceType"] == "Patient")
        if code:
            assert known.concepts_of_codeable(code)[0]


def test_a_service_without_a_card_for_the_made_up_patient_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up.warm_up()
    monkeypatch.setattr(warm_up, "_DAY", warm_up._DAY.replace(year=1990))
    with pytest.raises(SelfTestError, match="no card"):
        warm_up.warm_up()
