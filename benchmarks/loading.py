"""`python -m benchmarks.loading [KNOWLEDGE]`: how long the steps of a start take that are about the knowledge, as JSON in
milliseconds. For a fresh process: within one, much is kept."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

T = TypeVar("T")


@click.command()
@click.argument("knowledge", required=False, type=click.Path(path_type=Path, exists=True))
def main(knowledge: Path | None) -> None:
    """Load once and say how long each step took."""
    steps: dict[str, float] = {}

    def step(name: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        steps[name] = round(1000 * (time.perf_counter() - start), 2)
        return result

    step("imports", _imports)

    from cards.knowledge import load_knowledge
    from cards.layers import PACKAGED
    from fhir_profiles.codes import Terminology
    from server.basis import Basis
    from server.warm_up import warm_up

    terminology = step("terminology", Terminology.load)
    known = step("knowledge", lambda: load_knowledge(knowledge or PACKAGED))
    step("order templates, published knowledge, self-test", lambda: warm_up(Basis(terminology, known)))
    click.echo(json.dumps(steps))


def _imports() -> None:
    import server.application
    import server.warm_up  # noqa: F401 - the time of it is what is asked for


if __name__ == "__main__":
    main()
