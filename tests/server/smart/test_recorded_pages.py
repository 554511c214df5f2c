"""Every page about a patient has its record, and none is shown without (AUD-01, AUD-02)."""

import pytest

from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.services import find_service
from server.feedback.patients import pseudonym_of
from server.trust.clients import Caller
from tests.server.auditing.rows import entries
from tests.server.charts import PREFETCH_KEYS, hook_call
from tests.server.smart.conftest import Start
from tests.server.smart.ehr import Ehr


@pytest.mark.requirement("AUD-01")
def test_a_page_of_the_app_is_recorded_each_time_it_is_read(
    start: Start,
    ehr: Ehr,
) -> None:
    service = start(ehr)
    browser = service.browser()
    path = browser.open(ehr)
    assert browser.get(path).status_code == browser.get(f"{path}/summary").status_code == 200
    ehr.fhir = dict.fromkeys(PREFETCH_KEYS, 500)
    assert browser.get(path).status_code == 502
    assert browser.get(f"/smart/patient/{'x' * 22}").status_code == 401
    recorded = entries(service.runtime.database)
    assert {(one["client"], one["service"], one["action"]) for one in recorded} == {("hospital-1", "smart-app", "read")}
    assert [one["outcome"] for one in recorded] == ["answered", "answered", "MYO-1711"]
    assert recorded[0]["recommendations"]
    assert ehr.patient not in str(recorded)
    call = hook_call(ehr.patient, {}, fhirServer=ehr.base)
    of_hook = pseudonym_of(
        read_hook_call(call, find_service("myositis-patient-view")),
        Caller(service.runtime.clients[0]),
        service.runtime.pseudonyms,
    )
    assert {one["patient"] for one in recorded} == {of_hook}


@pytest.mark.requirement("AUD-02")
def test_without_its_record_no_page_of_the_app_is_shown(start: Start, ehr: Ehr) -> None:
    service = start(ehr)
    browser = service.browser()
    path = browser.open(ehr)
    with service.runtime.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_events")
    refused = browser.get(path)
    assert (refused.status_code, refused.mimetype) == (503, "text/html")
    assert "MYO-1713" in refused.text
    assert "Greta Sampleton" not in refused.text
