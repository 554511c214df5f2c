"""What Python imports by itself where this folder is on its path: in the process that answers, every library logs at its most
talkative, and a fault can be provoked.

A call whose hook instance is `FAULT` ends in an exception that holds the whole call, and so does `/assess?patient=fault`.
"""

import logging
import sys
from typing import Any

FAULT = "0fa01700-0000-4000-8000-000000000000"
TALKATIVE = (
    "urllib3",
    "requests",
    "waitress",
    "sqlalchemy",
    "alembic",
    "flask",
    "werkzeug",
    "joserfc",
    "opentelemetry",
    "myositis_cds",
)


def _provoke() -> None:
    from server.assessing import endpoint
    from server.cds_hooks import calls

    answer, evaluate = calls.answer, endpoint.evaluate_chart

    def failing_call(call: Any, *rest: Any) -> Any:
        if call.instance == FAULT:
            raise ValueError(f"{call!r} {call.user} {call.encounter} {call.authorization.access_token}")
        return answer(call, *rest)

    def failing_assess(chart: Any, **rest: Any) -> Any:
        if rest.get("patient_id") == "fault":
            raise KeyError(f"{chart!r}")
        return evaluate(chart, **rest)

    calls.answer, endpoint.evaluate_chart = failing_call, failing_assess


if "server.serving.program" in sys.orig_argv:
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)
    _provoke()
