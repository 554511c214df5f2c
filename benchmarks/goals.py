"""What is promised (issue 7, and G1 to G17 of the performance reference; where both say it, the stricter one), and what is
measured.

`G9r` and `G11l` are the second halves of G9 and G11; `N10` and `N10m` are what the issue asks of ten times the patients; `E` is
about the echo: a slow one would make the service look fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
"""What the groups wrote, by name."""

FLOOR = "`orjson.loads` of the same body"
ECHO = "bare Flask echo, same server, same garbage collection"


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise.

    Args:
        id: as it is spoken of.
        what: is measured.
        baseline: what it is compared with.
        limit: most, or least, that is promised.
        group: of benchmarks that measures it.
        key: of the figure among the `goals` of that group; the id by default.
        unit: how the figure is written: `×`, `%`, `MB`, `s`, `yes`, or none.
        is_least: whether the limit is the least.
        profile: number of resources of the body whose phases explain the figure; None for no body.
        why: said where the promise is not kept.
    """

    id: str
    what: str
    baseline: str
    limit: float
    group: str
    key: str = ""
    unit: str = "×"
    is_least: bool = False
    profile: str | None = None
    why: str = ""

    def measured(self, results: Results) -> float | None:
        """The figure; None where it was not measured.

        Args:
            results: of the groups.
        """
        found: float | None = results.get(self.group, {}).get("goals", {}).get(self.key or self.id)
        return found

    def is_met(self, results: Results) -> bool | None:
        """Whether the promise is kept; None where it was not measured."""
        found = self.measured(results)
        if found is None:
            return None
        return found >= self.limit if self.is_least else found <= self.limit

    @property
    def promise(self) -> str:
        """The limit in words."""
        if self.unit == "yes":
            return "yes"
        return f"{'≥' if self.is_least else '≤'} {written(self.limit, self.unit)}"


def written(figure: float, unit: str) -> str:
    """A figure with its unit.

    Args:
        figure: a share, where the unit is `%`; 1 or 0, where it is `yes`.
        unit: as in `Goal`.
    """
    if unit == "yes":
        return "yes" if figure else "no"
    if unit == "%":
        return f"{figure:.0%}"
    number = f"{figure:.0f}" if figure >= 100 or figure == int(figure) else f"{figure:.2f}".rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


_WHOLE = (
    "The promise was made from a sketch that looked codes up in a table and answered three fixed cards. The service holds "
    "each rule against the patient and puts what holds into words, with sources and drafts (recommend, cards: much the same "
    "for every body); it reads of each resource whose it is, its status, dates, values and units (read), and judges whether "
    "all came (fetch); it refuses JSON that two programs could read differently (request), and seals and commits an audit "
    "record (audit)."
)

GOALS = (
    Goal("G1", "typical call (250 resources), whole WSGI call in process", FLOOR, 2.5, "in_process", profile="250", why=_WHOLE),
    Goal(
        "G1j",
        "the same with a JWT (ES384) that is verified and used up",
        FLOOR,
        4,
        "in_process",
        why="As G1; verifying a signature and remembering the token in the store come on top (trust, wall time under JWT over "
        "HTTP).",
    ),
    Goal(
        "G1s",
        "strict: held against the full FHIR models",
        FLOOR,
        8,
        "in_process",
        why="Hook calls have no strict mode: no request is held against the full models. Measured is `assess --strict`, which "
        "holds every resource of the chart against them, where the goal speaks of the evidence alone.",
    ),
    Goal("G2", "large call (3,000 resources), whole WSGI call", FLOOR, 2, "in_process", profile="3000", why="As G1."),
    Goal(
        "G3",
        "small call (15 resources), whole WSGI call",
        f"{ECHO}, in process",
        3,
        "in_process",
        profile="15",
        why="As G1: the body is small, the patient is the same.",
    ),
    Goal(
        "G4",
        "throughput of typical calls, 16 connections, one worker",
        ECHO,
        0.6,
        "over_http",
        is_least=True,
        why="As G1: the echo does nothing with what it has parsed.",
    ),
    Goal(
        "G5",
        "p99 to p50, one connection, typical call",
        "its own p50",
        3,
        "over_http",
        why="The slowest calls are those that wait for the disk, and those beside other work of the machine.",
    ),
    Goal(
        "G6",
        "time per resource, large body to typical one",
        "its own time per resource at 250",
        1.8,
        "in_process",
        profile="3000",
        why="More than linear: see the phases of the two bodies.",
    ),
    Goal(
        "G7",
        "what twice as many rules add to a typical call",
        "the packaged rules",
        0.2,
        "rules",
        unit="%",
        why="Each rule is a tree of conditions that is evaluated anew for each patient; and each statement that holds is made "
        "in two steps since 6936914, which is simpler and took it from 17 to 20 %.",
    ),
    Goal(
        "G8",
        "marginal cost of a resource, above parsing it",
        "what `orjson.loads` takes for it",
        1,
        "in_process",
        profile="3000",
        why="Of each resource the owner, the status, the dates, the codes, the value and its range are looked at, in Python.",
    ),
    Goal(
        "G9",
        "start to the first 200 of `/health/ready`",
        "`import flask` in a fresh process",
        8,
        "start",
        why="Two processes begin, of which the second imports SQLAlchemy and every page, and checks all knowledge; a child that "
        "proves the order templates takes part of the machine meanwhile (see Start).",
    ),
    Goal(
        "G9r",
        "ready",
        "none: seconds",
        2,
        "start",
        key="ready",
        unit="s",
        why="See G9.",
    ),
    Goal(
        "G10",
        "first card after the start to the later ones",
        "median of the later ones",
        5,
        "start",
        why="The first call opens the database connection of its thread.",
    ),
    Goal(
        "G11",
        "RSS of the larger of 2 workers after 2,000 typical calls",
        "none: megabytes",
        110,
        "memory",
        unit="MB",
        why="At the start it is most of it already: libraries and knowledge, which are loaded before the fork and shared (see "
        "PSS under Memory).",
    ),
    Goal(
        "G11l",
        "the same after 1,000 large calls",
        "none: megabytes",
        160,
        "memory",
        key="G11 large",
        unit="MB",
        why="Two charts of 2 MB are in the memory of one worker at once; more, where calls with large bodies waited for too "
        "long and went on without a turn.",
    ),
    Goal(
        "G12",
        "memory of all processes (PSS) after 50,000 calls to after 25,000",
        "itself",
        1.1,
        "memory",
        why="See the trial `steady` of `make soak`.",
    ),
    Goal(
        "G13",
        "CPU per typical call",
        "HealthChain with the same engine",
        0.6,
        "peers",
        why="The engine is the same on both sides and takes most of the time; what HealthChain spends on making models of a "
        "call, the service spends on its audit record, its store and its log.",
    ),
    Goal(
        "T-10",
        "evaluation of 3,000 resources, from the parsed call to cards",
        "half a second, the time in which CDS Hooks asks for the whole answer",
        0.5,
        "in_process",
        unit="s",
        profile="3000",
        why="See the phases.",
    ),
    Goal(
        "G14",
        "cohort, one process: CPU",
        "a loop of `orjson.loads(line)`",
        2,
        "batch",
        why="As G1: the promise was made from a sketch that looked codes up and held three cards. A run parses each line to "
        "see whose it is, sorts it to its patient, compresses it, parses it again, reads it, and holds every statement against "
        "every patient: some 4.4 ms for a patient of 50 resources, where the loop, which forgets each line, takes 0.12.",
    ),
    Goal("G15", "cohort, two processes", "one process", 1.5, "batch", is_least=True),
    Goal("G16", "cohort, Dask, 100,000 patients", "plain processes", 0.5, "batch", is_least=True),
    Goal(
        "G17",
        "cohort with two processes, killed at half way, or by Dask: the same bytes",
        "one process, undisturbed",
        1,
        "batch",
        unit="yes",
        is_least=True,
    ),
    Goal(
        "N10",
        "cohort of ten times the patients: time",
        "a tenth of the patients",
        11.5,
        "times_ten",
        why="Ten times is what it should be, and 15 % more may be.",
    ),
    Goal(
        "N10m",
        "the same: memory of all processes at its highest (PSS)",
        "a tenth of the patients",
        1.1,
        "times_ten",
        why="It should be the same. See Ten times the patients.",
    ),
    Goal(
        "E",
        "what the echo itself takes in process, typical body",
        FLOOR,
        1.6,
        "in_process",
        key="echo",
        why="The echo is slower than an echo has to be, which makes G3 and G4 look better than they are.",
    ),
)
