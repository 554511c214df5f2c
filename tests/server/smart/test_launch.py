"""A launch from the chart and one without, from the first request to the patient's page."""

import pytest

from tests.server.smart.conftest import Browser, parameters
from tests.server.smart.ehr import CLIENT_ID, Ehr


@pytest.mark.requirement("SM-03")
def test_a_launch_from_the_chart_ends_at_the_patients_page(browser: Browser, ehr: Ehr) -> None:
    asked = parameters(browser.begin(ehr))
    assert asked | {"state": "", "nonce": "", "code_challenge": "", "scope": ""} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": "http://127.0.0.1:8000/smart/callback",
        "aud": ehr.base,
        "launch": "xyz",
        "code_challenge_method": "S256",
        "state": "",
        "nonce": "",
        "code_challenge": "",
        "scope": "",
    }
    page = browser.get(browser.open(ehr))
    assert page.status_code == 200
    assert "Anti-TIF1" in page.text or "colonoscopy" in page.text.lower(), page.text
