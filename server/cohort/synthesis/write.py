"""A cohort as a folder of FHIR Bulk Data: a file of NDJSON for each type, written while patients are made."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO

from server.cohort.errors import CohortError
from server.cohort.synthesis.chance import chance_of
from server.cohort.synthesis.cohort import Settings, SyntheticCohort, SyntheticPatient

TRUTH = "truth.csv"
"""What the charts were made from, beside the data: a cohort run passes over files of this kind."""
ABOUT = "about.txt"

_SHUFFLED_TOGETHER = 4_000
"""Lines of a type that are held back and mixed, so that nobody's resources stand together, as in exports of real servers."""
_MIXING = 2**39
"""Numbers from here are of files, not of patients: their chance decides the order of lines."""
_FASTEST = 1
_COLUMNS = ("patient", "site", "kind", "phenotype", "recognisable", "antibody", "lung", "cancer")


@dataclass(slots=True)
class Written:
    """What was written.

    Args:
        patients: how many.
        kinds: resources by type.
        characters: of all of them, before they were compressed.
    """

    patients: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    characters: int = 0


class Mixed:
    """A file of lines that are mixed.

    Args:
        stream: where they go.
        chance: decides their order.
    """

    __slots__ = ("_chance", "_held", "_stream")

    def __init__(self, stream: IO[str], chance: Random) -> None:
        """Nothing is held back yet."""
        self._stream = stream
        self._chance = chance
        self._held: list[str] = []

    def add(self, lines: Iterable[str]) -> None:
        """Take lines."""
        self._held += lines
        if len(self._held) >= _SHUFFLED_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        if self._held:
            self._chance.shuffle(self._held)
            self._stream.write("\n".join(self._held) + "\n")
            self._held = []


def write_cohort(
    cohort: SyntheticCohort,
    settings: Settings,
    patients: int,
    out: Path,
    *,
    compressed: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Written:
    """Write a cohort.

    Args:
        cohort: makes the patients.
        settings: for the page that says what this is.
        patients: how many.
        out: an empty folder, or one that is not there yet.
        compressed: with gzip.
        progress: is told how many are done, now and then.

    Raises:
        CohortError: there is something in the folder, or it cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise CohortError(
                f"{out}: there is something in it; name an empty folder, so that made-up patients never mix with others."
            )
        return _write(cohort, settings, patients, out, compressed, progress)
    except OSError as error:
        raise CohortError(f"{out}: cannot be written: {error.strerror}.") from error


def _write(
    cohort: SyntheticCohort, settings: Settings, patients: int, out: Path, compressed: bool, progress: Callable[[int], None]
) -> Written:
    written = Written()
    with ExitStack() as open_files:
        files: dict[str, Mixed] = {}

        def add(kind: str, lines: list[str]) -> None:
            if kind not in files:
                files[kind] = Mixed(_open(open_files, out, kind, compressed), chance_of(settings.seed, _MIXING + len(files)))
            files[kind].add(lines)
            written.kinds[kind] += len(lines)
            written.characters += sum(map(len, lines)) + len(lines)

        for kind, line in cohort.shared():
            add(kind, [line])
        truth = csv.writer(open_files.enter_context((out / TRUTH).open("w", encoding="utf-8", newline="")), lineterminator="\n")
        truth.writerow(_COLUMNS)
        for patient in cohort.patients(patients):
            for kind, lines in patient.lines.items():
                add(kind, lines)
            truth.writerow(_row(patient))
            written.patients += 1
            if written.patients % 1000 == 0:
                progress(written.patients)
        for file in files.values():
            file.flush()
    (out / ABOUT).write_text(_about(settings, written), encoding="utf-8")
    return written


def _open(open_files: ExitStack, out: Path, kind: str, compressed: bool) -> IO[str]:
    if not compressed:
        return open_files.enter_context((out / f"{kind}.ndjson").open("w", encoding="utf-8", newline="\n"))
    file = open_files.enter_context((out / f"{kind}.ndjson.gz").open("wb"))
    # Without a time and a name in its head, so that the same cohort is the same file.
    packed = open_files.enter_context(gzip.GzipFile(filename="", mode="wb", compresslevel=_FASTEST, fileobj=file, mtime=0))
    return open_files.enter_context(io.TextIOWrapper(packed, encoding="utf-8", newline="\n"))


def _row(patient: SyntheticPatient) -> tuple[object, ...]:
    disease = patient.disease
    return (
        patient.id,
        patient.site,
        patient.kind,
        patient.phenotype or "",
        "yes" if patient.is_recognisable else "no",
        (disease and disease.antibody) or "",
        (disease and disease.lung) or "",
        "yes" if disease and disease.cancer is not None else "no",
    )


def _about(settings: Settings, written: Written) -> str:
    juvenile = "" if settings.juvenile_share is None else f" --juvenile-share {settings.juvenile_share:g}"
    lines = "\n".join(f"{kind}: {number}" for kind, number in sorted(written.kinds.items()))
    return (
        "Made-up patients. Nobody in these files exists, and nothing may be concluded from them about anybody.\n"
        f"Made by myositis-cds cohort synthesise --patients {written.patients} --seed {settings.seed} --as-of {settings.as_of} "
        f"--resources {settings.resources} --myositis-share {settings.myositis_share:g}{juvenile}\n"
        f"What the charts were made from: {TRUTH}\n\n{lines}\n"
    )
