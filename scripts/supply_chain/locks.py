"""Make the locks that a hospital installs from: of `requirements.lock` what is delivered, and no tool of development (SUP-03).

`requirements-serving.lock` is what everybody gets; `requirements-postgres.lock`, `-tracing`, `-cohort` and `-dask` are what these
extras add to it. Versions and hashes are those of `requirements.lock`, so nothing is looked up. `make lock` runs this, or
`python -m scripts.supply_chain.locks`.
"""

from collections.abc import Iterator
from pathlib import Path

from scripts.supply_chain.packages import ROOT, delivered

_EXTRA_OF = {"serving": "", "postgres": "postgres", "tracing": "tracing", "cohort": "cohort", "dask": "dask"}
LOCKS = {extra: ROOT / f"requirements-{name}.lock" for name, extra in _EXTRA_OF.items()}
"""By extra; the sandbox is not for a hospital's machines."""


def lock_of(extra: str) -> str:
    """What a lock has to say.

    Args:
        extra: one of `LOCKS`.
    """
    return "".join(_lines(extra))


def _lines(extra: str) -> Iterator[str]:
    yield "# Made of requirements.lock by scripts/supply_chain/locks.py (make lock); a test fails while it is stale.\n"
    for package in delivered():
        if package.extra == extra:
            hashes = (f"    --hash=sha256:{one}" for one in package.hashes)
            yield " \\\n".join((f"{package.name}=={package.version}", *hashes)) + "\n"


def stale() -> list[Path]:
    """The locks that are not what `requirements.lock` says now."""
    return [file for extra, file in LOCKS.items() if not file.exists() or file.read_text("utf-8") != lock_of(extra)]


if __name__ == "__main__":
    for extra, file in LOCKS.items():
        file.write_text(lock_of(extra), "utf-8")
