"""Requests that schemathesis makes from `/openapi.json` of the running service, right ones and wrong ones."""

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import status_code_conformance

from soak.ehr import Ehr
from soak.seen import SECONDS, Seen
from soak.service import Service

_CHECKS = [not_a_server_error, status_code_conformance]


def cases(service: Service) -> st.SearchStrategy[Case]:
    """Requests to every operation that takes a body.

    Args:
        service: that is asked what it takes.
    """
    document = schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    return st.one_of(
        one.as_strategy(generation_mode=mode)
        for one in operations
        if one.method.upper() == "POST"
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )


def send_case(service: Service, ehr: Ehr, case: Case, seen: Seen) -> None:
    """Send one, and see that it is answered as the document says.

    Args:
        service: to whom.
        ehr: whose token it has.
        case: the request.
        seen: where it is counted.
    """
    sent = f"{case.method} {case.formatted_path} {case.body!r}".encode(errors="backslashreplace")
    headers = {"Authorization": f"Bearer {ehr.token(case.formatted_path)}"}
    try:
        response = case.call(base_url=f"http://127.0.0.1:{service.port}", headers=headers, timeout=SECONDS)
    except requests.Timeout:
        seen.hangs += 1
        return
    except requests.ConnectionError:
        seen.count(0, sent)
        return
    seen.count(response.status_code, sent)
    try:
        case.validate_response(response, checks=_CHECKS)
    except FailureGroup as failures:
        seen.fault(f"not as described: {failures.exceptions!r} {sent[:2000]!r}")
