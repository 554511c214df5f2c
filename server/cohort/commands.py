"""`myositis-cds cohort …`: every patient of a registry, by the same evaluation as at the bedside."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from fhir_profiles.reader import RESOURCE_TYPES
from server.cohort.errors import CohortError, MachineTroubleError
from server.cohort.fetching.command import fetch
from server.cohort.giving_up import TROUBLE, UNUSABLE, give_up
from server.cohort.synthesis.command import synthesise
from server.small_numbers import LEAST

_P = ParamSpec("_P")
_Day = click.DateTime(("%Y-%m-%d",))


@click.group()
def cohort() -> None:
    """Evaluate every patient of a registry: who is due for what, and what the data do not say."""


def _saying_what_is_wrong(command: Callable[_P, None]) -> Callable[_P, None]:
    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except MachineTroubleError as error:
            give_up(str(error), TROUBLE)
        except CohortError as error:
            give_up(str(error), UNUSABLE)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            give_up(f"{place}{error.strerror or type(error).__name__}; what is done stays done.", TROUBLE)

    return run


cohort.add_command(fetch)
cohort.add_command(synthesise)


@cohort.command()
@click.argument("place", metavar="INPUT", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Folder of the results."
)
@click.option("--as-of", type=_Day, metavar="YYYY-MM-DD", help="Evaluate for this day instead of today (UTC).")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", metavar="URL", help="Of the Dask cluster, such as tcp://10.0.0.1:8786.")
@click.option("--workers", type=click.IntRange(1), help="Processes on this machine.  [default: one for each processor]")
@click.option(
    "--incomplete",
    type=click.Choice(sorted(RESOURCE_TYPES - {"Patient"})),
    metavar="TYPE",
    multiple=True,
    help="A resource type of which the input may not hold all.",
)
@click.option("--partial", is_flag=True, help="The input may not hold all of any type: nothing counts as not done.")
@click.option(
    "--least", type=click.IntRange(1), default=LEAST, show_default=True, help="The report withholds smaller numbers of patients."
)
@click.option("--keep-work", is_flag=True, help="Leave the work in progress in DIR/work.")
@_saying_what_is_wrong
def run(
    place: Path,
    out: Path,
    as_of: datetime | None,
    engine: str,
    scheduler: str | None,
    workers: int | None,
    incomplete: tuple[str, ...],
    partial: bool,
    least: int,
    keep_work: bool,
) -> None:
    """Evaluate every patient in INPUT: a folder of FHIR Bulk Data (NDJSON), or of Bundles, plain or compressed.

    Killed, it goes on where it was when it is started again in the same way.
    """
    from server.basis import SITE, SITE_TERMINOLOGY, basis_from
    from server.cohort.engines import engine_for
    from server.cohort.inputs import find_inputs, kinds_not_whole
    from server.cohort.plan import day_of_unfinished, make_plan
    from server.cohort.progress import Progress
    from server.cohort.run import run as run_plan
    from server.cohort.tables import duckdb

    os.umask(0o077)  # charts in the work in progress, patients in the tables
    place, out = place.resolve(), out.resolve()
    if out == place or place in out.parents:
        raise CohortError(f"--out {out}: is inside the input, and would be read as a part of it; choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    with duckdb(out):
        pass  # before hours of work, and not after them
    day = as_of.date() if as_of else day_of_unfinished(out) or datetime.now(UTC).date()
    basis, inputs = basis_from(os.environ), find_inputs(place)
    lacking = RESOURCE_TYPES - {"Patient"} if partial else {*incomplete, *kinds_not_whole(place, inputs, incomplete)}
    site, terminology = (Path(found).resolve() if (found := os.environ.get(name)) else None for name in (SITE, SITE_TERMINOLOGY))
    plan = make_plan(inputs, out, as_of=day, site=site, terminology=terminology, basis=basis, incomplete=tuple(sorted(lacking)))
    outcome = run_plan(plan, inputs, engine_for(engine, scheduler, workers), Progress(), least=least, keeps_work=keep_work)
    click.echo(
        f"{outcome.rows['patients']:,} patients, {outcome.rows['recommendations']:,} recommendations, "
        f"{outcome.rows['bad_lines']:,} bad lines: {out / 'report.html'}"
    )


@cohort.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write every change there, as NDJSON."
)
@click.option("--name", "most", type=click.IntRange(0), default=3, show_default=True, help="So many patients of each statement.")
@_saying_what_is_wrong
def diff(before: Path, after: Path, out: Path | None, most: int) -> None:
    """Compare the results of two runs over the same data: who gains or loses what since the knowledge changed, and why.

    BEFORE and AFTER are the folders that `cohort run` wrote, each with another release or site folder (MYOSITIS_CDS_SITE).
    What does not fit into memory goes to the folder for temporary files (TMPDIR), and is removed in the end.
    """
    from server.cohort.diff import as_line, as_text, compare
    from server.cohort.files import whole_file

    if out is None:
        difference = compare(before, after, most)
    else:
        with whole_file(out.resolve()) as stream:
            difference = compare(before, after, most, lambda change: stream.write(as_line(change)))
    click.echo(as_text(difference))
