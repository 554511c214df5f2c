"""The large laws of the suite, with all of their examples; `make test` tries a part of them (`tests.sizes`)."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.sizes import WHOLE

ROOT = Path(__file__).parent.parent
LAWS = (
    "tests/cards/test_laws.py",
    "tests/cards/test_refusals.py",
    "tests/end_to_end/test_callback.py",
    "tests/end_to_end/test_trust.py",
    "tests/fhir_profiles/test_reader_laws.py",
    "tests/sandbox/authorization/test_refusals.py",
    "tests/sandbox/test_bad_cards.py",
    "tests/server/auditing/test_verifying.py",
    "tests/server/cds_hooks/test_mutated_bundles.py",
    "tests/server/cds_hooks/test_wrong_patient.py",
    "tests/server/contract/test_fuzzed.py",
    "tests/server/languages/test_german.py",
    "tests/server/languages/test_said.py",
)


def run(folder: Path, *, files: Sequence[str] = LAWS, processes: int = 2) -> dict[str, Any]:
    """Try them.

    Args:
        folder: for what pytest finds.
        files: of `LAWS`.
        processes: that try them at once; 0 for this one's child alone.
    """
    began, found = time.monotonic(), folder / "laws.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(processes), "--dist", "worksteal"]
    done = subprocess.run(  # as long as it takes: a law that hangs is seen by whoever waits
        [*command, f"--junitxml={found}", *files],
        cwd=ROOT,
        env=os.environ | {WHOLE: "yes"},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    tests = list(ElementTree.parse(found).iter("testcase"))  # noqa: S314 - pytest wrote it, for us
    failed = [str(test.get("name")) for test in tests if test.find("failure") is not None or test.find("error") is not None]
    return {
        "kept": done.returncode == 0 and not failed,
        "tests": len(tests),
        "failed": failed,
        "seconds": round(time.monotonic() - began),
    }
