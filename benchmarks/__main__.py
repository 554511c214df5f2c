"""`python -m benchmarks [NAME…] [--quick]`: measure, write `benchmarks/results/NAME.json` and `docs/performance.md`."""

import json
from typing import Any

import click

from benchmarks.goals import GOALS, written
from benchmarks.groups import GROUPS, CannotMeasureError, measured
from benchmarks.page import PAGE, RESULTS, page, results


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(GROUPS)), metavar="[NAME]…")
@click.option("--quick", "is_quick", is_flag=True, help="Seconds instead of minutes; the results are printed, and not kept.")
@click.option("--page", "is_page_only", is_flag=True, help="Measure nothing; write the page from the results that are kept.")
def main(names: tuple[str, ...], is_quick: bool, is_page_only: bool) -> None:
    """Run the named groups, or all of them."""
    chosen = () if is_page_only else names or [name for name, one in GROUPS.items() if not one.is_asked_for]
    for name in chosen:
        found = _measured(name, is_quick=is_quick)
        if found is not None and not is_quick:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.json").write_text(_as_text(found) + "\n", "utf-8")
    if not is_quick:
        PAGE.write_text(page(results()), "utf-8")
        _say_goals()


def _measured(name: str, *, is_quick: bool) -> dict[str, Any] | None:
    """What a group measured, which is printed too; None where it could not, for a reason that is printed."""
    arguments = GROUPS[name].quick if is_quick else GROUPS[name].full
    if arguments is None:
        click.echo(f"{name}: has no quick form")
        return None
    try:
        found = measured(name, arguments)
    except CannotMeasureError as reason:
        click.echo(f"{name}: not measured: {reason}; earlier results stay")
        return None
    click.echo(f"{name}:\n{_as_text(found)}")
    return found


def _as_text(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False)


def _say_goals() -> None:
    """Print each goal and whether it is met."""
    kept = results()
    for goal in GOALS:
        found, is_met = goal.measured(kept), goal.is_met(kept)
        figure = "not measured" if found is None else written(found, goal.unit)
        said = {None: "", True: "met", False: "NOT MET"}[is_met]
        click.echo(f"{goal.id:<5} {goal.promise:>10}  {figure:>13}  {said:<8} {goal.what}")


if __name__ == "__main__":
    main()
