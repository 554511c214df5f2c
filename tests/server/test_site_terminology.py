"""A site's own laboratory codes, by a folder named in the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOCAL = "https://hospital.example/laboratory"
CHART = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1960-01-01"}},
        {
            "resource": {
                "resourceType": "Observation",
                "id": "a",
                "status": "final",
                "subject": {"reference": "Patient/1"},
                "code": {"coding": [{"system": LOCAL, "code": "MYO-17"}]},
                "valueString": "positive",
            }
        },
    ],
}
VALUESET = {
    "resourceType": "ValueSet",
    "id": "anti-tif1-gamma",
    "status": "active",
    "compose": {"include": [{"system": LOCAL, "concept": [{"code": "MYO-17", "display": "TIF1g"}]}]},
}


@pytest.mark.parametrize(("folder", "expected"), [("site", ["anti-tif1-gamma"]), (None, [])])
def test_a_local_code_is_understood_once_its_valueset_lies_in_the_folder(
    tmp_path: Path, folder: str | None, expected: list[str]
) -> None:
    (tmp_path / "chart.json").write_text(json.dumps(CHART))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "anti-tif1-gamma.json").write_text(json.dumps(VALUESET))
    environment = dict(os.environ) | ({"MYOSITIS_CDS_TERMINOLOGY": str(tmp_path / folder)} if folder else {})
    command = [str(Path(sys.executable).parent / "myositis-cds"), "assess", str(tmp_path / "chart.json"), "--json"]
    answer = subprocess.run(command, env=environment, capture_output=True, check=True, text=True, timeout=60)
    assert [antibody["code"] for antibody in json.loads(answer.stdout)["antibodies"]] == expected
