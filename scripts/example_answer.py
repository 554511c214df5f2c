"""Make `docs/example/answer.json`: what the service really answers to `docs/example/request.json` on the day of the example.

Run `python scripts/example_answer.py` after a change of knowledge or wording; `--check` only compares.
"""

import json
import sys
from datetime import date
from pathlib import Path

from server.application import create_app
from server.config import Config

FOLDER = Path(__file__).parent.parent / "docs" / "example"
DAY = date(2026, 11, 22)


def answer() -> str:
    """The service's answer, indented."""
    client = create_app(Config(today=lambda: DAY)).test_client()
    request = (FOLDER / "request.json").read_bytes()
    response = client.post("/cds-services/myositis-patient-view", data=request, content_type="application/json")
    return json.dumps(response.get_json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(None if (FOLDER / "answer.json").read_text("utf-8") == answer() else "docs/example/answer.json is not current")
    (FOLDER / "answer.json").write_text(answer(), "utf-8")
