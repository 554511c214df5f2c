"""Look for known holes in what is locked: `make audit-dependencies` (SUP-01).

pip-audit asks a public database about every package of the lock. Where it cannot reach one it may leave packages out, so its word
alone is not believed: only a report that has every locked package, at its version, looked up, ends with 0.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.utils import canonicalize_name

from scripts.supply_chain.packages import LOCK, locked

CLEAN, VULNERABLE, NOT_RUN = 0, 1, 2
_SECONDS = "15"


def audit(lock: Path, *options: str) -> tuple[int, str]:
    """Look up every package of a lock.

    Args:
        lock: a requirements file with hashes.
        options: more of pip-audit's, such as another database.

    Returns:
        `CLEAN`, `VULNERABLE` or `NOT_RUN`, and a sentence for people.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # No cache: yesterday's answer is no answer.
        command = [sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes", "--requirement", str(lock)]
        command += ["--format", "json", "--output", str(report), "--progress-spinner", "off", "--timeout", _SECONDS]
        ended = subprocess.run([*command, "--cache-dir", folder, *options], capture_output=True, text=True, check=False)
        if not report.exists():
            return NOT_RUN, _not_run(ended.stderr)
        return _judged(json.loads(report.read_text("utf-8"))["dependencies"], lock, ended.stderr)


def _judged(found: Sequence[Mapping[str, Any]], lock: Path, said: str) -> tuple[int, str]:
    looked_up = {canonicalize_name(one["name"]): one["version"] for one in found if "vulns" in one}
    wanted = {name: entry.version for name, entry in locked(lock.read_text("utf-8")).items()}
    holes = [f"{one['name']} {one['version']}: {hole['id']}" for one in found for hole in one.get("vulns", ())]
    if holes:
        return VULNERABLE, "\n".join(("known holes:", *holes))
    if not wanted or looked_up != wanted:
        return NOT_RUN, _not_run(said)
    return CLEAN, f"{len(wanted)} packages looked up, nothing known against them"


def _not_run(said: str) -> str:
    last = said.strip().splitlines()[-1:] or ["pip-audit said nothing"]
    return f"not run: no vulnerability data reachable ({last[0]})"


if __name__ == "__main__":
    code, sentence = audit(LOCK, *sys.argv[1:])
    sys.stdout.write(f"{sentence}\n")
    sys.exit(code)
