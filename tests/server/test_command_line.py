"""The command line, as a process: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from server.assessing.chart_input import evaluate_chart
from tests.server.charts import ANTI_TIF1, AS_OF, FOLDER, HEALTHY, Json, chart, diagnosis
from tests.server.store.processes import command as run

COMMAND = Path(sys.executable).with_name("myositis-cds")
DAY = ("--as-of", AS_OF.isoformat())


def written(tmp_path: Path, content: bytes | Json | list[Json]) -> Path:
    path = tmp_path / "chart.json"
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def refused(result: "subprocess.CompletedProcess[str]") -> str:
    """The one line on stderr, once it is clear that there is nothing else."""
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


# --- with a result


def test_assess_prints_text_for_people() -> None:
    result = run("assess", FOLDER / f"{ANTI_TIF1}.json", *DAY)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Patient {ANTI_TIF1}: female, 62 years, as of 22 November 2026")


def test_assess_prints_json_for_machines() -> None:
    result = run("assess", FOLDER / f"{ANTI_TIF1}.json", "--json", *DAY)
    assert (result.returncode, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert answer["cards"] == list(evaluate_chart(chart(ANTI_TIF1), as_of=AS_OF, patient_id=None).cards)


def test_without_a_day_today_counts() -> None:
    assert json.loads(run("assess", FOLDER / f"{HEALTHY}.json", "--json").stdout)["asOf"] > "2026-01-01"


def test_one_of_several_patients_is_chosen(tmp_path: Path) -> None:
    both = written(tmp_path, [chart(ANTI_TIF1), chart(HEALTHY)])
    result = run("assess", both, "--patient", HEALTHY, "--json", *DAY)
    assert result.returncode == 0
    assert json.loads(result.stdout)["patient"]["id"] == HEALTHY


def test_draft_orders_turn_it_into_advice_about_them(tmp_path: Path) -> None:
    drafts = written(tmp_path, {"resourceType": "Bundle"})
    result = run("assess", FOLDER / f"{ANTI_TIF1}.json", "--draft-orders", drafts, "--json", *DAY)
    assert result.returncode == 0
    assert json.loads(result.stdout)["cards"] == []


def test_strict_lists_what_the_full_models_find(tmp_path: Path) -> None:
    bundle = chart(ANTI_TIF1)
    bundle["entry"][0]["resource"]["unheardOf"] = 1
    path = written(tmp_path, bundle)
    assert "unheardOf" not in run("assess", path, *DAY).stdout
    assert f"Patient/{ANTI_TIF1}.unheardOf: strict:" in run("assess", path, "--strict", *DAY).stdout


def test_a_mismatch_is_a_result_without_cards(tmp_path: Path) -> None:
    result = run("assess", written(tmp_path, [chart(ANTI_TIF1), diagnosis("other")]), "--json", *DAY)
    assert result.returncode == 0
    assert json.loads(result.stdout)["cards"] == []
    assert "another patient" in json.loads(result.stdout)["issues"][0]["problem"]


# --- without one


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"<Bundle/>", "not JSON", id="XML"),
        pytest.param(b'{"a": NaN}', "not JSON", id="NaN"),
        pytest.param(b"[" * 70 + b"]" * 70, "nested more than 64 levels deep", id="deep"),
        pytest.param(b"{}", "not FHIR", id="no FHIR"),
        pytest.param(b'[1, "Patient"]', "not FHIR", id="a list of anything"),
    ],
)
def test_a_file_that_is_not_fhir_json_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refused(run("assess", written(tmp_path, content), *DAY))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    line = refused(run("assess", tmp_path / "nowhere.json"))
    assert "nowhere.json: cannot be read: No such file or directory" in line
    assert "cannot be read" in refused(run("assess", tmp_path))


def test_several_patients_without_a_choice_are_refused(tmp_path: Path) -> None:
    both = written(tmp_path, [chart(ANTI_TIF1), chart(HEALTHY)])
    assert "--patient ID" in refused(run("assess", both))
    assert "none has the id" in refused(run("assess", both, "--patient", "nobody"))


def test_a_day_that_is_none_is_refused() -> None:
    assert "--as-of must be a day written YYYY-MM-DD" in refused(run("assess", FOLDER / f"{HEALTHY}.json", "--as-of", "soon"))


def test_drafts_that_are_not_fhir_are_refused(tmp_path: Path) -> None:
    drafts = written(tmp_path, b"{}")
    assert "not FHIR" in refused(run("assess", FOLDER / f"{HEALTHY}.json", "--draft-orders", drafts))


def test_the_service_refuses_another_address_than_loopback() -> None:
    assert "use 127.0.0.1 or ::1" in refused(run("serve", "--host", "0.0.0.0"))  # noqa: S104 - refused, that is the point
    assert "MYOSITIS_CDS_PORT" in refused(run("serve", MYOSITIS_CDS_PORT="http"))


# --- help


@pytest.mark.parametrize("command", [(), ("assess",), ("serve",), ("demo",)])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: myositis-cds")


def test_the_version_is_told() -> None:
    told = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.startswith("myositis-cds 0.")
