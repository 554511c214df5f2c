"""`myositis-cds profile`: where the time goes, and nothing of the patient."""

import json
from pathlib import Path

import pytest

from server.basis import packaged_basis
from server.errors import WhichPatientError
from server.evaluation import PHASES
from server.profiling import PARSING, as_text, profiled
from tests.server.charts import ANTI_TIF1, AS_OF, FOLDER
from tests.server.store.processes import command

FILE = FOLDER / f"{ANTI_TIF1}.json"
DAY = ("--as-of", AS_OF.isoformat())


def test_every_phase_and_the_functions_that_take_longest_are_named() -> None:
    ran = command("profile", FILE, "--times", "2", *DAY)
    assert (ran.returncode, ran.stderr) == (0, "")
    for phase in (PARSING, *PHASES, "total"):
        assert f"  {phase} " in ran.stdout
    assert "fhir_profiles/" in ran.stdout
    assert "cards/" in ran.stdout


def test_for_machines_it_is_json() -> None:
    found = json.loads(command("profile", FILE, "--times", "3", "--json", *DAY).stdout)
    assert found["times"] == 3
    assert found["bytes"] == FILE.stat().st_size
    spent = found["milliseconds"]
    assert list(spent) == [PARSING, *PHASES, "total"]
    assert spent["total"] == pytest.approx(sum(spent.values()) - spent["total"], abs=0.01)
    own = [one["milliseconds"] for one in found["functions"]]
    assert own == sorted(own, reverse=True)
    assert not any(Path(one["place"]).is_absolute() for one in found["functions"])


def test_nothing_of_the_patient_is_printed() -> None:
    said = command("profile", FILE, "--times", "1", *DAY).stdout
    chart = json.loads(FILE.read_bytes())
    patient = next(one["resource"] for one in chart["entry"] if one["resource"]["resourceType"] == "Patient")
    assert patient["id"] not in said
    assert patient["name"][0]["family"] not in said


def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    for file, said in ((bad, "not FHIR"), (tmp_path / "nowhere.json", "cannot be read")):
        ran = command("profile", file, *DAY)
        assert (ran.returncode, ran.stdout) == (2, "")
        (line,) = ran.stderr.splitlines()
        assert said in line


def test_of_several_patients_one_must_be_named() -> None:
    bundles = [json.loads(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))[:2]]
    content = json.dumps(bundles).encode()
    with pytest.raises(WhichPatientError):
        profiled(content, as_of=AS_OF, patient_id=None, times=1, basis=packaged_basis())


def test_a_profile_in_words_says_what_share_each_phase_has() -> None:
    found = profiled(FILE.read_bytes(), as_of=AS_OF, patient_id=None, times=1, basis=packaged_basis())
    assert sum(found.phases.values()) == pytest.approx(found.milliseconds)
    assert as_text(found).count("%") == len(found.phases)
