"""What is read with the token, and what is said where it does not let us read."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_profiles.record import InputState
from server.patient_page.opened import Opened
from server.smart import patient_endpoint
from tests.server.charts import Json, chart, resources, searchset
from tests.server.logged import text
from tests.server.smart.conftest import Browser
from tests.server.smart.ehr import Ehr

ALL_BUT = "launch openid fhirUser patient/Patient.r patient/Condition.rs patient/MedicationRequest.rs "


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Opened]]:
    """What the page was made from; it is made all the same."""
    seen: list[Opened] = []
    render = patient_endpoint.render

    def keep(one: Opened, *more: Any) -> str:
        seen.append(one)
        return render(one, *more)

    monkeypatch.setattr(patient_endpoint, "render", keep)
    return seen


def see(browser: Browser, ehr: Ehr, opened: list[Opened]) -> Opened:
    assert browser.get(browser.open(ehr)).status_code == 200
    return opened[-1]


@pytest.mark.requirement("SM-10")
def test_with_everything_granted_everything_is_read(browser: Browser, ehr: Ehr, opened: list[Opened]) -> None:
    one = see(browser, ehr, opened)
    assert one.scopes_missing == ()
    assert one.servers == (ehr.base,)
    assert InputState.FAILED not in one.inputs.values()
    assert one.evaluation.assessment.phenotypes
    assert len(one.evaluation.cards) >= 4


def test_no_card_is_cut_away(browser: Browser, ehr: Ehr, opened: list[Opened]) -> None:
    """A hook call of this service shows five at most; the page shows what holds."""
    shown = {card["source"]["topic"]["code"] for card in see(browser, ehr, opened).evaluation.cards}
    said = {one.topic for one in opened[-1].evaluation.recommendations if one.is_worth_a_card}
    assert len(shown) >= min(5, len(said))


@pytest.mark.requirement("SM-10")
@pytest.mark.parametrize(
    ("scope", "missing", "asks"),
    [
        pytest.param(ALL_BUT, {"Observation", "Procedure"}, False, id="not granted"),
        pytest.param(
            ALL_BUT + "patient/Observation.r patient/Procedure.s", {"Observation", "Procedure"}, False, id="half granted"
        ),
        pytest.param(
            ALL_BUT + "patient/Observation.cud patient/Procedure.write", {"Observation", "Procedure"}, False, id="to write"
        ),
        pytest.param(
            ALL_BUT + "patient/Observation.rs?category=laboratory patient/Procedure.rs?status=completed",
            {"Observation", "Procedure"},
            True,
            id="granted in part",
        ),
        pytest.param(ALL_BUT + "patient/Observation.read patient/Procedure.*", set(), True, id="as SMART 1 says it"),
        pytest.param("openid patient/*.cruds", set(), True, id="everything"),
        pytest.param("openid user/*.read", set(), True, id="what the user may read"),
    ],
)
def test_what_was_not_granted_is_named_and_never_counts_as_none(
    browser: Browser, ehr: Ehr, opened: list[Opened], scope: str, missing: set[str], asks: bool
) -> None:
    ehr.response = {"scope": scope}
    ehr.patient = "healthy"
    there = {one["resourceType"] for one in resources(chart(ehr.patient))}
    one = see(browser, ehr, opened)
    assert {"Observation", "Procedure"} & set(one.scopes_missing) == missing
    assert any("/fhir/Observation" in path for path in ehr.asked) is asks
    for kind in ("Observation", "Procedure"):
        as_it_is = InputState.PRESENT if kind in there else InputState.CONFIRMED_EMPTY
        assert one.evaluation.record.input_state(kind) is (InputState.FAILED if missing else as_it_is)


@pytest.mark.requirement("SM-10")
def test_what_the_server_refuses_is_named_too(browser: Browser, ehr: Ehr, opened: list[Opened]) -> None:
    ehr.patient, ehr.fhir = "healthy", {"Observation": 403}
    one = see(browser, ehr, opened)
    assert one.scopes_missing == ("Observation",)
    assert one.inputs["Observation"] is InputState.FAILED


@pytest.mark.requirement("SM-10", "SM-11")
@pytest.mark.parametrize("response", [{}, {"refresh_token": None}], ids=["renewable", "not renewable"])
def test_one_type_that_is_always_401_is_denied_and_ends_nothing(
    browser: Browser, ehr: Ehr, opened: list[Opened], response: Json
) -> None:
    ehr.patient, ehr.response, ehr.fhir = "healthy", response, {"Observation": 401}
    one = see(browser, ehr, opened)
    assert one.scopes_missing == ("Observation",)
    assert one.inputs["Observation"] is InputState.FAILED
    assert browser.get(f"/smart/patient/{one.launch}").status_code == 200


@pytest.mark.parametrize(
    ("scope", "status", "said"),
    [
        pytest.param(ALL_BUT, 200, "Darf nicht gelesen werden", id="not granted"),
        pytest.param(
            ALL_BUT + "patient/Observation.rs?category=laboratory", 200, "Darf nur zum Teil gelesen werden", id="a part"
        ),
        pytest.param("openid patient/*.rs", 500, "nicht beantwortet (server-error)", id="not answered"),
    ],
)
def test_what_could_not_be_read_is_said_in_the_language_of_the_page(
    browser: Browser, ehr: Ehr, scope: str, status: int, said: str
) -> None:
    ehr.response, ehr.fhir = {"scope": scope}, {"Observation": status} if status != 200 else {}
    assert said in browser.get(browser.open(ehr), query_string={"language": "de"}).text


def test_what_fails_is_failed_and_no_matter_of_scopes(browser: Browser, ehr: Ehr, opened: list[Opened]) -> None:
    ehr.patient, ehr.fhir = "healthy", {"Observation": 500}
    one = see(browser, ehr, opened)
    assert one.scopes_missing == ()
    assert one.inputs["Observation"] is InputState.FAILED


def test_where_nothing_can_be_read_no_page_says_anything_about_the_patient(browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    kinds = {one["resourceType"] for one in resources(chart(ehr.patient))}
    ehr.fhir = dict.fromkeys(
        (
            *kinds,
            "MedicationStatement",
            "MedicationAdministration",
            "DiagnosticReport",
            "AllergyIntolerance",
            "ServiceRequest",
            "Procedure",
        ),
        500,
    )
    page = browser.get(path)
    assert (page.status_code, "MYO-1711" in page.text) == (502, True)
    ehr.fhir = {}
    assert browser.get(path).status_code == 200  # the breaker of hook calls is not opened by one page


@pytest.mark.requirement("SM-09", "SAF-01")
@pytest.mark.parametrize("kind", ["Patient", "Observation"])
def test_data_of_another_patient_stop_the_page(
    browser: Browser, ehr: Ehr, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = browser.open(ehr)
    answer = ehr.answer
    stranger: Json = {"resourceType": "Patient", "id": "somebody-else"}
    if kind == "Observation":
        stranger = searchset(
            [{"resourceType": kind, "id": "o", "status": "final", "code": {}, "subject": {"reference": "Patient/somebody-else"}}]
        )
    monkeypatch.setattr(ehr, "answer", lambda *one: (200, {}, stranger) if f"/fhir/{kind}" in one[1] else answer(*one))
    with caplog.at_level(logging.WARNING):
        page = browser.get(path)
    assert (page.status_code, "MYO-1710" in page.text) == (412, True)
    assert "Greta" not in page.text
    assert "event=another_patients_data action=refused client=hospital-1 service=app" in text(caplog)
    assert "somebody-else" not in caplog.text + page.text


@pytest.mark.parametrize(
    ("response", "about"),
    [
        (None, ()),
        (
            [{"reference": "ImagingStudy/1"}, {"reference": "Observation/2", "role": "launch"}],
            ("ImagingStudy/1", "Observation/2"),
        ),
        ([{"reference": "https://evil.example/Patient/1"}, {"reference": 7}, "x", {"identifier": {}}], ()),
        ([{"reference": "Patient/1", "role": "https://example.org/role"}], ()),
        ({"reference": "ImagingStudy/1"}, ()),
    ],
)
def test_what_the_app_was_opened_for_is_read(browser: Browser, ehr: Ehr, opened: list[Opened], response: Any, about: Any) -> None:
    ehr.patient, ehr.response = "healthy", {"fhirContext": response}
    assert see(browser, ehr, opened).about == about


@pytest.mark.requirement("SM-09")
def test_the_banner_says_who_the_patient_is(browser: Browser, ehr: Ehr, opened: list[Opened]) -> None:
    banner = see(browser, ehr, opened).banner
    patient = resources(chart(ehr.patient))[0]
    assert banner is not None
    assert (banner.name, banner.birth_date, banner.sex) == ("Greta Sampleton", patient["birthDate"], patient["gender"])
    assert banner.identifier
    ehr.response = {"need_patient_banner": False}
    assert see(browser, ehr, opened).banner is None


@pytest.mark.requirement("SM-14", "HDR-01")
def test_the_page_may_load_and_send_nothing_elsewhere(browser: Browser, ehr: Ehr) -> None:
    page = browser.get(browser.open(ehr))
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "style-src": "'self'", "script-src": "'self'", "img-src": "'self'", "connect-src": "'self'",
        "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert re.findall(r"https?://[^\"<> ]+", page.text.split("<main")[0]) == []
