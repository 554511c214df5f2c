"""`myositis-cds knowledge …`: what each command prints, and with which exit code it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cards.knowledge import knowledge
from cards.layers import PACKAGED
from server.command_line import main
from server.knowledge.scenarios import load_scenarios
from tests.server.charts import FOLDER
from tests.site import COLONOSCOPY, OLDER_COLONOSCOPY, OWN_STATEMENT, site_with

DAY = ("--as-of", "2026-11-22")


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(main, ["knowledge", *map(str, arguments)], env=environment)


def refused(result: Result) -> str:
    """The one line on stderr."""
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


# --- list -------------------------------------------------------------------------------------------------------------------


def test_the_list_names_every_rule_with_topic_strength_and_state() -> None:
    told = json.loads(run("list", "--json").stdout)
    known = knowledge()
    assert {row["id"] for row in told} == {rule.id for rule in (*known.rules, *known.safety, *known.off)}
    by_id = {row["id"]: row for row in told}
    assert by_id[COLONOSCOPY] == {
        "id": COLONOSCOPY,
        "kind": "statement",
        "topic": "tumourScreening",
        "strength": "recommended",
        "state": "computed",
        "ofSite": False,
    }
    assert by_id["bmj-severity-severe-definition"]["state"] == "stated"
    assert (by_id["methotrexate-pregnancy"]["kind"], by_id["methotrexate-pregnancy"]["strength"]) == ("safety rule", "stop")


def test_the_list_for_people_has_a_line_for_each_rule(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY, site="off: [methotrexate-pregnancy]\n")
    lines = {line.split()[0]: line.split(maxsplit=3)[1:] for line in run("list", "--site", site).stdout.splitlines()}
    assert lines[COLONOSCOPY] == ["tumourScreening", "recommended", "computed, the site's"]
    assert lines["methotrexate-pregnancy"] == ["drugSafety", "stop", "off"]


def test_the_site_may_be_named_in_the_environment(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OWN_STATEMENT)
    assert "our-physiotherapy" in run("list", MYOSITIS_CDS_SITE=str(site)).stdout


# --- show -------------------------------------------------------------------------------------------------------------------


def test_a_statement_is_explained_with_all_that_belongs_to_it() -> None:
    text = run("show", COLONOSCOPY).stdout
    for part in (
        "Colonoscopy over the age of 50 in dermatomyositis.",
        "statement, recommended, computed",
        "cards/guidelines/titulaer-2011.yaml:",
        "Titulaer et al. 2011 (evidence-based, grade C-D (whole guideline)); read in Meyer et al. 2019",
        "- population: adult-dermatomyositis",
        "adult-dermatomyositis:",
        "http://snomed.info/sct|73761001",
        "C15: age limits of Titulaer 2011",
        "holds: A woman of 62 with new dermatomyositis has no tumour screening on record (titulaer-2011.yaml)",
    ):
        assert part in text


def test_the_line_of_a_statement_is_where_it_stands() -> None:
    place = next(line for line in run("show", COLONOSCOPY).stdout.splitlines() if "titulaer-2011.yaml:" in line)
    line = (PACKAGED / "guidelines" / "titulaer-2011.yaml").read_text("utf-8").splitlines()[int(place.split(":")[1]) - 1]
    assert line.strip() == f"- id: {COLONOSCOPY}"


def test_what_the_site_wrote_is_marked(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY, guidelines__more=OWN_STATEMENT)
    assert "ours.yaml:3, the site's, in place of the packaged one" in run("show", COLONOSCOPY, "--site", site).stdout
    assert "more.yaml:3, the site's\n" in run("show", "our-physiotherapy", "--site", site).stdout


@pytest.mark.parametrize("name", ["methotrexate-pregnancy", "screening-tests-in-pregnancy", "bmj-severity-severe-definition"])
def test_safety_rules_and_stated_statements_are_explained_too(name: str) -> None:
    result = run("show", name)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, name)


def test_every_rule_can_be_explained() -> None:
    from cards.layers import Layers
    from server.knowledge.view import explained

    known = knowledge()
    for rule in (*known.rules[::25], *known.safety[::25]):
        assert rule.id in explained(rule, known, Layers(PACKAGED), ())


def test_an_id_that_does_not_exist_is_refused_with_the_nearest() -> None:
    assert f"did you mean {COLONOSCOPY}" in refused(run("show", COLONOSCOPY.replace("50", "60")))


# --- check ------------------------------------------------------------------------------------------------------------------


def test_a_folder_in_order_is_said_to_be_so(tmp_path: Path) -> None:
    result = run("check", site_with(tmp_path, guidelines__ours=OWN_STATEMENT))
    assert result.exit_code == 0
    assert "in order" in result.stdout
    assert "1 of the site" in result.stdout


def test_a_folder_with_a_slip_ends_with_2(tmp_path: Path) -> None:
    result = run("check", site_with(tmp_path, guidelines__ours=OWN_STATEMENT.replace("supportiveCare", "care")))
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{tmp_path}/guidelines/ours.yaml:4: our-physiotherapy: unknown topic care; known are ")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refused(run("check", tmp_path / "nowhere"))


# --- test -------------------------------------------------------------------------------------------------------------------

SCENARIO = """\
as_of: 2026-11-22
scenarios:
  - name: A woman of 62
    patient: {{sex: female, born: 1964-02-01, problems: [{{what: dermatomyositis, since: 2026-08}}]}}
    expect: {{{}}}
"""


def test_scenarios_that_pass_are_counted() -> None:
    result = run("test", PACKAGED / "scenarios" / "titulaer-2011.yaml")
    count = len(load_scenarios(PACKAGED / "scenarios" / "titulaer-2011.yaml"))
    assert (result.exit_code, result.stdout) == (0, f"{count} of {count} scenarios pass\n")


@pytest.mark.requirement("SAF-20")
def test_a_scenario_that_fails_is_told_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(SCENARIO.format(f"not: [{COLONOSCOPY}], cards: 99"), "utf-8")
    result = run("test", file)
    assert result.exit_code == 1
    first, *complaints, last = result.stdout.splitlines()
    assert (first, last) == ("ours.yaml: A woman of 62", "0 of 1 scenarios pass")
    assert complaints[0] == f"  - expected {COLONOSCOPY} not to hold; it holds"
    assert complaints[1].startswith("  - expected 99 cards; there are ")


def test_scenarios_run_against_the_site_and_those_of_the_site_are_run(tmp_path: Path) -> None:
    scenario = SCENARIO.format(f"not: [{COLONOSCOPY}]")
    site = site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY, scenarios__ours=scenario)
    assert run("test", site / "scenarios" / "ours.yaml", "--site", site).exit_code == 0
    assert run("test", site / "scenarios" / "ours.yaml").exit_code == 1
    everything = run("test", "--site", site)
    assert everything.exit_code == 1, "packaged scenarios expect the packaged age limit"
    assert "A woman of 62 with new dermatomyositis has no tumour screening on record" in everything.stdout


def test_a_scenario_with_a_slip_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(SCENARIO.format("holds: [zzz]"), "utf-8")
    assert "expects `zzz`, which is no statement" in refused(run("test", file))


# --- diff -------------------------------------------------------------------------------------------------------------------


def test_the_difference_is_told_in_words_and_as_json(tmp_path: Path) -> None:
    site = site_with(tmp_path, guidelines__ours=OLDER_COLONOSCOPY)
    words = run("diff", "packaged", site, "--patients", FOLDER, *DAY)
    assert (words.exit_code, "patients change." in words.stdout.splitlines()[-1]) == (0, True)
    told = json.loads(run("diff", PACKAGED, site, "--patients", FOLDER, *DAY, "--json").stdout)
    assert "dermatomyositis-exactly-50" in [one["patient"] for one in told["changed"]]


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    assert "no folder with .json files" in refused(run("diff", "packaged", "packaged", "--patients", tmp_path))
    assert "no such folder" in refused(run("diff", "packaged", tmp_path / "nowhere", "--patients", FOLDER))
    assert "--as-of must be a day" in refused(run("diff", "packaged", "packaged", "--patients", FOLDER, "--as-of", "soon"))


def test_every_command_explains_itself() -> None:
    for command in ("list", "show", "check", "test", "diff"):
        assert run(command, "--help").stdout.startswith(f"Usage: main knowledge {command}")
