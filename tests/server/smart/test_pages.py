"""The pages around a patient's page: whose language they speak, and what they print of an EHR."""

from dataclasses import replace

import pytest

from server.smart.pages import Pages
from server.smart.stops import EHR_REFUSED, StopError
from tests.server.smart.conftest import Service, Start
from tests.server.smart.ehr import Ehr

GERMAN = {"Accept-Language": "de"}
GERMAN_PAGE, ENGLISH_PAGE = '<html lang="de">', '<html lang="en">'


def stopped(service: Service, said: str, **headers: str) -> str:
    with service.app.test_request_context(headers=headers):
        return Pages(service.runtime).stop(StopError(EHR_REFUSED, said=said)).get_data(as_text=True)


@pytest.mark.requirement("CARD-01", "CARD-03")
def test_what_an_ehr_says_is_printed_without_what_hides_or_reverses(service: Service) -> None:
    html = stopped(service, "<b>denied</b>\u202egnp\u2066 zero\u200bwidth")
    assert "<blockquote>&lt;b&gt;denied&lt;/b&gt;gnp zerowidth</blockquote>" in html


@pytest.mark.requirement("SM-09")
def test_what_an_ehr_says_stays_in_its_words(service: Service) -> None:
    html = stopped(service, "No", **GERMAN)
    assert GERMAN_PAGE in html
    assert "<blockquote>No</blockquote>" in html


@pytest.mark.parametrize(
    ("of_client", "accepted", "expected"), [("en", "de", ENGLISH_PAGE), ("de", "en", GERMAN_PAGE), (None, "de", GERMAN_PAGE)]
)
def test_a_client_that_is_set_to_a_language_decides_before_the_browser(
    start: Start, ehr: Ehr, of_client: str | None, accepted: str, expected: str
) -> None:
    service = start(ehr, language=of_client)
    browser, headers = service.browser(), {"Accept-Language": accepted}
    path = browser.open(ehr)
    patient = browser.get(path, headers=headers).text
    assert expected in patient
    assert expected in stopped(service, "", **headers)
    token = patient.partition('name="form_token" value="')[2].partition('"')[0]
    assert expected in browser.leave(path, token, **headers).text


def test_where_clients_differ_the_browser_decides_what_stands_outside_of_a_launch(start: Start, ehr: Ehr, other_ehr: Ehr) -> None:
    service = start(ehr, other_ehr, language="en")
    one, other = service.runtime.clients
    differing = replace(service, runtime=replace(service.runtime, clients=(one, replace(other, language="de"))))
    assert ENGLISH_PAGE in stopped(service, "", **GERMAN)
    assert GERMAN_PAGE in stopped(differing, "", **GERMAN)
