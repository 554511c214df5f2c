"""`python -m soak [NAME…] [--short]`: run trials and write `soak/results/NAME.json`; fails if a promise was broken."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Args:
        module: in this package; its `run(folder, **arguments)` returns figures, of which `kept` says whether the promise held.
        long: arguments as the promise is stated.
        short: arguments for a look in a minute.
    """

    module: str
    long: Mapping[str, Any]
    short: Mapping[str, Any]

    def run(self, folder: Path, *, is_short: bool, **more: Any) -> dict[str, Any]:
        """Run it, in an empty folder, with further arguments."""
        trial: Callable[..., dict[str, Any]] = import_module(f"soak.{self.module}").run
        return trial(folder, **(self.short if is_short else self.long), **more)


TRIALS: Mapping[str, Trial] = {
    "fuzz": Trial("fuzzing", {"requests": 50_000}, {"requests": 300, "readers": ["all"]}),
    "kills": Trial("kills", {"kills": 100}, {"kills": 3, "rate": 10, "share": 0.5}),
    "laws": Trial("laws", {}, {"files": ["tests/server/auditing/test_verifying.py"], "processes": 0}),
    "neighbours": Trial(
        "neighbours",
        {"seconds": 40, "rounds": 4, "per_second": 10},
        {"seconds": 4, "rounds": 1, "per_second": 2, "times": 2, "ms": 250},
    ),
    "outage": Trial("outage", {"up_seconds": 20, "down_seconds": 60}, {"up_seconds": 1.5, "down_seconds": 6, "pause": 0.5}),
    "patients": Trial("many_patients", {"calls": 10_000}, {"calls": 128}),
    "restarts": Trial("restarts", {"restarts": 10, "requests": 10_000}, {"restarts": 1, "requests": 50}),
    "slow": Trial("slow", {"calls": 200}, {"calls": 12}),
    "steady": Trial("steady", {"seconds": 1800}, {"seconds": 5, "rate": 20, "workers": 1, "per_hour": 7200}),
}
"""By the name that the command line knows."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(TRIALS)), metavar="[NAME]…")
@click.option("--short", "is_short", is_flag=True, help="Seconds instead of minutes; the results are printed, and not kept.")
def main(names: tuple[str, ...], is_short: bool) -> None:
    """Run the named trials, or all of them."""
    kept = [_tried(name, is_short) for name in names or TRIALS]
    sys.exit(0 if all(kept) else 1)


def _tried(name: str, is_short: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix=f"myositis-cds-{name}-") as folder:
        figures = TRIALS[name].run(Path(folder), is_short=is_short)
    click.echo(f"{name}: {'kept' if figures['kept'] else 'NOT KEPT'}")
    for what, figure in figures.items():
        click.echo(f"  {what:<32} {figure}")
    if not is_short:
        RESULTS.mkdir(exist_ok=True)
        written = {"day": datetime.now(UTC).date().isoformat(), **figures}
        (RESULTS / f"{name}.json").write_text(json.dumps(written, indent=2) + "\n", "utf-8")
    return bool(figures["kept"])


if __name__ == "__main__":
    main()
