"""A program: the service, with the log of every library at its most talkative, and with a fault that can be provoked.

`python -m tests.end_to_end.canary_service serve --port N`; a call whose hook instance is `FAULT` ends in an exception that holds
the whole call, and so does `/assess?patient=fault`.
"""

import logging
from typing import Any

from server.assessing import endpoint
from server.cds_hooks import calls
from server.command_line import main

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


def _failing_call(call: Any, *rest: Any) -> Any:
    if call.instance == FAULT:
        raise ValueError(f"{call!r} {call.user} {call.encounter} {call.authorization.access_token}")
    return _answer(call, *rest)


def _failing_assess(chart: Any, **rest: Any) -> Any:
    if rest.get("patient_id") == "fault":
        raise KeyError(f"{chart!r}")
    return _evaluate(chart, **rest)


if __name__ == "__main__":
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)
    _answer, calls.answer = calls.answer, _failing_call
    _evaluate, endpoint.evaluate_chart = endpoint.evaluate_chart, _failing_assess
    main()
