"""What the tests run in a process of its own, to be killed or to have fewer rights."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 60


def python(*arguments: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """Run Python.

    Args:
        arguments: what to run, as on a command line.
        before: a command to start it with.
    """
    return subprocess.run(
        [*before, sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def all_at_once(job: str, argument: str) -> list[str]:
    """What eight processes say that do a job at the same moment (`all_at_once.py`)."""
    result = python("-m", "tests.server.store.all_at_once", job, argument)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()
