"""What it was measured on; nothing that names the machine."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("flask", "orjson", "sqlalchemy", "waitress")


def facts() -> dict[str, Any]:
    """The day, the processors, the memory, the interpreter, and the libraries that count for the time."""
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "processors": f"{os.cpu_count()} × {_processor()}",
        "memory GiB": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "load at start": round(os.getloadavg()[0], 1),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
