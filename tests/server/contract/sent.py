"""Requests as other software sends them, with synthetic data: one file each in `requests/`."""

import json
from pathlib import Path

from tests.server.charts import Json

_FOLDER = Path(__file__).parent / "requests"


def sent(name: str) -> Json:
    """One request, to be changed at will."""
    body: Json = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return body


def all_sent(beginning: str = "") -> list[str]:
    """The names of the requests."""
    return sorted(path.stem for path in _FOLDER.glob(f"{beginning}*.json"))
