"""Charts of several patients, opened at the same moment at one running service: everybody gets the own answer (SAF-05)."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Barrier

import pytest

from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import Service
from tests.server.charts import chart, hook_call, prefetch_of, slugs

AT_ONCE = 8
TIMES = 5
PATH = "/cds-services/myositis-patient-view"


def body_of(slug: str) -> bytes:
    return json.dumps(hook_call(slug, prefetch_of(chart(slug)))).encode()


def asked(port: int, slug: str, start: Barrier, times: int = TIMES) -> list[bytes]:
    """What comes back for one patient, each time begun together with the other patients."""
    body, came = body_of(slug), []
    with closing(CheckedConnection(port)) as connection:
        for _ in range(times):
            start.wait(timeout=30)
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            came.append(connection.answer().body)
    return came


@pytest.mark.requirement("SAF-05", "C-51")
def test_no_patient_is_in_another_patients_answer_whatever_runs_at_the_same_time(service: Service) -> None:
    patients = slugs()[:AT_ONCE]
    alone = {slug: asked(service.port, slug, Barrier(1), times=1)[0] for slug in patients}
    assert len(set(alone.values())) > AT_ONCE // 2
    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = list(pool.map(partial(asked, service.port, start=Barrier(len(patients))), patients))
    for slug, came in zip(patients, together, strict=True):
        assert came == [alone[slug]] * TIMES
        assert [other for other in patients if other != slug and f'Patient/{other}"'.encode() in b"".join(came)] == []
