"""Another patient's data among the input of a hook call: no card, one line in the security log, nothing told (SAF-01, SAF-06).

Ten thousand made-up calls that must be refused, the same ones at every run, and a thousand that must not; a part of them where
the suite is in a hurry (`tests.sizes`). `wrong_patient_cases` says what is varied.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.server.cds_hooks import wrong_patient_cases as cases
from tests.server.charts import Json
from tests.server.logged import lines
from tests.sizes import size

PORTIONS = 10
REFUSED_IN_EACH, UNTOLD_IN_EACH = size(1000, part=60), size(100, part=10)
"""With `PORTIONS`: 10,000 calls that must be refused, and 1,000 with something of which nobody can tell whose it is."""

SECURITY_LINE = re.compile(
    r"event=another_patients_data action=refused client=open service=myositis-[a-z-]+ instance=[0-9a-f-]{36} resources=\d+"
)


class Listener(logging.Handler):
    """Keeps everything that is logged, by anybody and at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def security(self) -> list[str]:
        return lines(self.records, "security")

    @property
    def everything(self) -> str:
        formatter = logging.Formatter("%(name)s %(pathname)s %(message)s")
        return "\n".join(f"{formatter.format(record)} {record.args!r}" for record in self.records)


@contextmanager
def listening() -> Iterator[Listener]:
    root, listener = logging.getLogger(), Listener()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield listener
    finally:
        root.removeHandler(listener)
        root.setLevel(before)


def send(client: FlaskClient, call: Json) -> TestResponse:
    """What the client answers, which has checked it (`tests.server.answers`)."""
    body = json.dumps(call).encode()
    return client.post(f"/cds-services/myositis-{call['hook']}", data=body, content_type="application/json")


def tells_nothing(text: str, name: str, canaries: tuple[str, ...] = cases.CANARIES) -> None:
    assert [canary for canary in canaries if canary in text.lower()] == [], name


@pytest.mark.requirement("SAF-01", "SAF-06", "LOG-02", "ERR-01", "R-18")
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_no_card_is_ever_built_from_another_patients_data(client: FlaskClient, portion: int) -> None:
    random = Random(portion)
    with listening() as heard:
        for _ in range(REFUSED_IN_EACH):
            name, call = cases.refused(random)
            heard.records.clear()
            response = send(client, call)
            body = response.get_data(as_text=True)
            assert response.status_code == 412, name
            assert "MYO-1201" in body, name
            assert "cards" not in body, name
            (line,) = heard.security
            assert SECURITY_LINE.fullmatch(line), name
            assert call["hookInstance"] in line, name
            tells_nothing(body, name)
            tells_nothing(heard.everything.replace(call["hookInstance"], ""), name)


@pytest.mark.requirement("SAF-01", "SAF-02", "LOG-02")
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_what_may_be_anybodys_is_neither_used_nor_a_reason_to_refuse(client: FlaskClient, portion: int) -> None:
    random = Random(1_000 + portion)
    with listening() as heard:
        for _ in range(UNTOLD_IN_EACH):
            name, call = cases.spliced(random, cases.UNTOLD)
            heard.records.clear()
            response = send(client, call)
            assert response.status_code == 200 or "MYO-1202" in response.text, name
            assert heard.security == [], name
            tells_nothing(response.text, name, ("canary",))  # the id of the patient is in the suggested orders, as it must be
            tells_nothing(heard.everything.replace(call["hookInstance"], ""), name)


@pytest.mark.requirement("SAF-01")
@pytest.mark.parametrize("spelling", cases.OURS)
def test_the_patients_own_is_used_however_it_is_spelt(client: FlaskClient, spelling: str) -> None:
    random = Random(7)
    for _ in range(size(20, part=6)):
        name, call = cases.spliced(random, {spelling: cases.OURS[spelling]})
        plain = json.loads(
            json.dumps(call).replace(json.dumps(cases.OURS[spelling](random)[0]), json.dumps(cases.relative(cases.US)))
        )
        response = send(client, call)
        assert response.status_code == 200, name
        assert response.get_json() == send(client, plain).get_json(), name
        assert response.get_json()["cards"], name


def changed(patient: Json) -> Callable[[Json], None]:
    def change(call: Json) -> None:
        call["prefetch"]["patient"] |= patient

    return change


def _a_card_of_a_merged_record(call: Json) -> None:
    call["prefetch"]["patient"]["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/55"}}]


def _a_donors_specimen(call: Json) -> None:
    donor = {"resourceType": "Specimen", "id": "s", "subject": {"reference": f"Patient/{cases.THEM}"}}
    observed = cases.fact("Observation", cases.relative(cases.US), "own-o") | {
        "specimen": {"reference": "#s"},
        "contained": [donor],
    }
    call["prefetch"]["observations"] = {"resourceType": "Bundle", "entry": [{"resource": observed}]}


def _a_contained_patient_with_our_record_number(call: Json) -> None:
    contained = cases.patient("p", cases.OUR_RECORD)
    own = cases.fact("Procedure", {"reference": "#p"}, "own-p") | {"contained": [contained]}
    call["prefetch"]["procedures"] = {"resourceType": "Bundle", "entry": [{"resource": own}]}


def _a_doctor_who_is_a_patient_too(call: Json) -> None:
    own = cases.fact("Procedure", cases.relative(cases.US), "own-p")
    own["performer"] = [{"actor": {"reference": f"Patient/{cases.THEM}"}}]
    call["prefetch"]["procedures"] = {"resourceType": "Bundle", "entry": [{"resource": own}]}


@pytest.mark.requirement("SAF-01", "SAF-03", "SAF-04")
@pytest.mark.parametrize(
    "change",
    [
        _a_card_of_a_merged_record,
        _a_donors_specimen,
        _a_contained_patient_with_our_record_number,
        _a_doctor_who_is_a_patient_too,
    ],
)
def test_what_only_looks_like_another_patient_is_not_refused(client: FlaskClient, change: Callable[[Json], None]) -> None:
    call = cases.own_call(Random(3))
    change(call)
    with listening() as heard:
        response = send(client, call)
    assert response.status_code == 200
    assert heard.security == []


@pytest.mark.requirement("LOG-02", "LOG-04")
@pytest.mark.parametrize("instance", ["not a uuid\ncanary", "Canary Canary"])
def test_the_security_log_keeps_the_hook_instance_only_if_it_is_a_uuid(client: FlaskClient, instance: str) -> None:
    _, call = cases.foreign_patient(Random(5))
    call["hookInstance"] = instance
    with listening() as heard:
        assert send(client, call).status_code == 412
    (line,) = heard.security
    assert "instance=not-a-uuid" in line
    tells_nothing(heard.everything, "instance")


def test_the_cases_are_really_different() -> None:
    """A generator that made the same call again and again would prove nothing."""
    random = Random(0)
    names = {cases.refused(random)[0] for _ in range(3_000)}
    assert len(names) > 1_500
    kinds: set[Any] = {name.split(", ")[0] for name in names}
    assert {"Condition", "Observation", "Patient", "draft MedicationRequest", "context of another patient"} <= kinds
