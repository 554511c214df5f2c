"""`myositis-cds cohort synthesise`: a folder of made-up patients, to try a cohort run on."""

import sys
import time
from pathlib import Path

import click

from server.cohort.giving_up import UNUSABLE, give_up
from server.cohort.synthesis.cohort import MYOSITIS_SHARE, RESOURCES


@click.command()
@click.option("--patients", type=click.IntRange(1), required=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed makes the same patients.")
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty folder, or a new one."
)
@click.option("--as-of", metavar="YYYY-MM-DD", help="No fact is later.  [default: today (UTC)]")
@click.option(
    "--resources", type=click.IntRange(1, 2000), default=RESOURCES, show_default=True, help="About so many for each patient."
)
@click.option(
    "--myositis-share",
    type=click.FloatRange(0, 1),
    default=MYOSITIS_SHARE,
    show_default=True,
    help="So many of all have myositis; the others are well, or have what may be mistaken for it.",
)
@click.option(
    "--juvenile-share",
    type=click.FloatRange(0, 1),
    help="So many of those with myositis fell ill before 18.  [default: as published, 3 in 100]",
)
@click.option("--gzip", "compressed", is_flag=True, help="Write .ndjson.gz.")
def synthesise(
    patients: int,
    seed: int,
    out: Path,
    as_of: str | None,
    resources: int,
    myositis_share: float,
    juvenile_share: float | None,
    compressed: bool,
) -> None:
    """Make up patients and write them as FHIR Bulk Data (NDJSON).

    They are plausible one by one, and mixed in published proportions (server/cohort/synthesis/proportions.yaml); nobody exists.
    What each was made from stands in truth.csv.
    """
    from fhir_profiles.codes import Terminology
    from server.assessing.chart_input import parse_day
    from server.cohort.errors import CohortError
    from server.cohort.synthesis.cohort import Settings, SyntheticCohort
    from server.cohort.synthesis.write import write_cohort
    from server.config import today_utc
    from server.errors import RequestRefusedError

    began = time.monotonic()
    try:
        day = today_utc() if as_of is None else parse_day(as_of, "--as-of")
        settings = Settings(seed, day, resources, myositis_share, juvenile_share)
        cohort = SyntheticCohort(settings, Terminology.load())
        with click.progressbar(length=patients, label="patients", file=sys.stderr) as bar:
            written = write_cohort(
                cohort, settings, patients, out, compressed=compressed, progress=lambda done: bar.update(done - bar.pos)
            )
            bar.update(patients - bar.pos)
    except CohortError as error:
        give_up(str(error), UNUSABLE)
    except RequestRefusedError as error:
        give_up(error.text, UNUSABLE)
    seconds = time.monotonic() - began
    click.echo(
        f"{out}: {written.patients:,} made-up patients with {written.kinds.total():,} resources, "
        f"{written.characters / 2**20:,.0f} MiB, in {seconds:.0f} s"
    )
