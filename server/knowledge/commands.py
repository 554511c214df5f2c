"""`myositis-cds knowledge …`: for those who review the knowledge, correct it, or add to it."""

import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from cards.layers import PACKAGED, Layers, is_whole
from server.assessing.chart_input import parse_day
from server.basis import SITE, Basis, basis_from, load_basis, packaged_basis
from server.config import ConfigurationError, today_utc
from server.errors import RequestRefusedError

if TYPE_CHECKING:
    from server.knowledge.scenarios import Scenario

FAILED = 1
UNUSABLE = 2

_Folder = click.Path(path_type=Path)
_site = click.option(
    "--site", metavar="DIR", type=_Folder, help=f"A site folder over the packaged knowledge.  [default: ${SITE}]"
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group()
def knowledge() -> None:
    """List, explain, check, test and compare the knowledge.

    Where a DIR is asked for: a whole knowledge folder, or a site folder, which is read over the packaged knowledge.
    """


@knowledge.command("list")
@_site
@_json
def list_rules(site: Path | None, as_json: bool) -> None:
    """List every statement and safety rule: id, topic, strength, and whether it is computed, stated or off."""
    from server.knowledge.view import summaries, table

    rows = summaries(_basis(site).knowledge)
    click.echo(_json_text([row.as_json() for row in rows]) if as_json else table(rows))


@knowledge.command()
@click.argument("rule_id", metavar="ID")
@_site
def show(rule_id: str, site: Path | None) -> None:
    """Explain one statement or safety rule: sources, trigger, orders, contradictions, scenarios."""
    from server.knowledge.view import explained

    known = _basis(site).knowledge
    rules = {rule.id: rule for rule in (*known.rules, *known.safety, *known.off)}
    if rule_id not in rules:
        near = get_close_matches(rule_id, rules, 3)
        raise ConfigurationError(
            f"no rule has the id {rule_id}; " + (f"did you mean {' or '.join(near)}?" if near else "`knowledge list` names them")
        )
    folder = _site_folder(site)
    scenarios = _scenarios(_scenario_folders(folder))
    click.echo(explained(rules[rule_id], known, _layers(folder), scenarios))


@knowledge.command()
@click.argument("folder", metavar="DIR", type=_Folder)
def check(folder: Path) -> None:
    """Check a folder; print file, line, what is wrong and what to do."""
    from server.knowledge.check import problems_in

    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: no such folder")
    problems = problems_in(folder)
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(UNUSABLE)
    known = load_basis(folder).knowledge
    words = f"{len(known.rules)} statements, {len(known.safety)} safety rules, {len(known.off)} off"
    click.echo(f"{folder}: in order ({words}; {len(known.of_site)} of the site)")


@knowledge.command()
@click.argument("files", metavar="FILE…", nargs=-1, type=_Folder)
@_site
def test(files: tuple[Path, ...], site: Path | None) -> None:
    """Run scenario files, or those of a folder; without any, the packaged ones and the site's."""
    from server.knowledge.scenario_run import run
    from server.knowledge.scenarios import ScenarioError

    basis, folder = _basis(site), _site_folder(site)
    named = files or _scenario_folders(folder)
    scenarios = _scenarios(named)
    try:
        failures = [(scenario, complaints) for scenario in scenarios if (complaints := run(scenario, basis))]
    except ScenarioError as error:
        raise ConfigurationError(str(error)) from None
    for scenario, complaints in failures:
        click.echo(f"{scenario.file.name}: {scenario.name}")
        for complaint in complaints:
            click.echo(f"  - {complaint}")
    click.echo(f"{len(scenarios) - len(failures)} of {len(scenarios)} scenarios pass")
    if failures:
        sys.exit(FAILED)


@knowledge.command()
@click.argument("old", metavar="OLD", type=_Folder)
@click.argument("new", metavar="NEW", type=_Folder)
@click.option("--patients", metavar="DIR", type=_Folder, required=True, help="A folder with one FHIR Bundle to each .json file.")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Assess for this day instead of today (UTC).")
@_json
def diff(old: Path, new: Path, patients: Path, as_of: str | None, as_json: bool) -> None:
    """Say whose cards change between two folders, and how; `packaged` stands for the packaged knowledge."""
    from server.knowledge.diff import as_json as json_of
    from server.knowledge.diff import as_text, compare

    try:
        day = today_utc() if as_of is None else parse_day(as_of, "--as-of")
        if not any(patients.glob("*.json")):
            raise ConfigurationError(f"{patients}: no folder with .json files; name one with --patients")
        difference = compare(_named(old), _named(new), patients, day)
    except RequestRefusedError as error:
        raise ConfigurationError(error.text) from None
    click.echo(_json_text(json_of(difference)) if as_json else as_text(difference))


def _scenario_folders(site: Path | None) -> list[Path]:
    """The packaged scenarios, and the site's if it has some."""
    from server.knowledge.scenarios import FOLDER

    own = site / "scenarios" if site else FOLDER
    return [FOLDER, own] if own != FOLDER and own.is_dir() else [FOLDER]


def _scenarios(paths: Iterable[Path]) -> list["Scenario"]:
    """The scenarios of files and folders."""
    from server.knowledge.scenarios import ScenarioError, files_in, load_scenarios

    try:
        return [scenario for file in files_in(paths) for scenario in load_scenarios(file)]
    except ScenarioError as error:
        raise ConfigurationError(str(error)) from None


def _named(folder: Path) -> Basis:
    return packaged_basis() if folder == Path("packaged") else load_basis(folder)


def _site_folder(site: Path | None) -> Path | None:
    from_environment = os.environ.get(SITE)
    return site or (Path(from_environment) if from_environment else None)


def _basis(site: Path | None) -> Basis:
    return basis_from({**os.environ, **({SITE: str(site)} if site else {})})


def _layers(folder: Path | None) -> Layers:
    return Layers(folder) if folder and is_whole(folder) else Layers(PACKAGED, folder)


def _json_text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
