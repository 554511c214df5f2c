"""The list of patients, the chart, and what is under the hood."""

import json
import re

import pytest
from flask.testing import FlaskClient

from sandbox.charts import load_charts
from sandbox.story import read_stories
from tests.sandbox.conftest import CARD, StubService
from tests.sandbox.reading_pages import PATIENT, SLUG, SUGGESTION, Page, form_token, page, post, way


@pytest.mark.parametrize("path", ["/", "/sandbox/"])
def test_the_first_page_lists_every_patient_with_age_sex_and_story(browser_of_pages: FlaskClient, path: str) -> None:
    html, parsed = page(browser_of_pages, path)
    for story in read_stories():
        assert f"/patients/{story.slug}" in parsed.links
        row = html[html.rindex(f'href="/patients/{story.slug}"') :].split("</tr>")[0]
        assert story.name in row
        assert f'<td role="cell">{story.age}</td>' in row
        assert f'<td role="cell">{story.sex}</td>' in row
        assert story.story in row


@pytest.mark.parametrize(
    ("words", "found", "not_found"),
    [
        ("greta", SLUG, "healthy"),
        ("TIF1-γ positive", SLUG, "classic-dermatomyositis"),
        ("pregnan", "dermatomyositis-pregnant", "inclusion-body-myositis"),
        ("methotrexate not tolerated", "dermatomyositis-methotrexate-intolerance", "dermatomyositis-remission"),
        ("child polymyositis", "juvenile-polymyositis", "polymyositis-untreated"),
    ],
)
def test_patients_are_found_by_name_story_and_what_they_show(
    browser_of_pages: FlaskClient, words: str, found: str, not_found: str
) -> None:
    html = browser_of_pages.get("/", query_string={"words": words}).text
    table = html[html.index("<table") :]
    assert f'href="/patients/{found}"' in table
    assert f'href="/patients/{not_found}"' not in table


def test_words_that_nobody_has_are_answered_in_words(browser_of_pages: FlaskClient) -> None:
    html, _ = page(browser_of_pages, "/?words=zebra")
    assert "Nobody here has all of these words." in html


@pytest.mark.parametrize("slug", [story.slug for story in read_stories()])
def test_every_chart_can_be_opened(browser_of_pages: FlaskClient, slug: str) -> None:
    _, parsed = page(browser_of_pages, f"/patients/{slug}")
    for resource in load_charts()[slug].resources[1:]:
        assert f"{resource['resourceType']}/{resource['id']}" in parsed.ids


def test_a_chart_shows_problems_drugs_results_and_orders_with_their_dates(browser_of_pages: FlaskClient) -> None:
    _, parsed = page(browser_of_pages, "/patients/dermatomyositis-methotrexate-intolerance")
    for shown in (
        "Dermatomyositis February 2026 active",
        "methotrexate 2.5 mg oral tablet 1 May 2026 15 mg weekly; until 20 July 2026; not tolerated; Liver enzymes rose",
        "prednisone 10 mg oral tablet 16 April 2026 20 mg daily; active",
        "18 July 2026 148 U/L; high; range 7–35",
        "Anti-Mi-2 15 April 2026 Positive",
        "Mammography 12 May 2026 No suspicious finding",
        "Colonoscopy 20 May 2026 No polyp and no tumour",
        "CT of chest, abdomen and pelvis 16 November 2026 ordered, not done yet",
        "methotrexate 20 July 2026 Raised liver enzymes",
    ):
        assert shown in parsed.text


def test_a_test_that_was_repeated_is_drawn_over_time_and_told_in_words(browser_of_pages: FlaskClient) -> None:
    html, parsed = page(browser_of_pages, PATIENT)
    assert "polyline" in parsed.tags
    assert 'aria-label="Creatine kinase: 2140 U/L on 10 September 2026, 780 U/L on 9 November 2026"' in html
    assert html.count("<polyline") == 1  # everything else was measured once


def test_a_chart_says_what_others_wrote_even_if_it_says_little(browser_of_pages: FlaskClient, service: StubService) -> None:
    service.answer = {"cards": [CARD | {"suggestions": [SUGGESTION]}]}
    _, parsed = page(browser_of_pages, PATIENT)
    _, parsed = post(browser_of_pages, way(parsed, "/accept/0"))
    assert "pulmonary function test 22 November 2026 ordered, not done yet" in parsed.text


def test_under_the_hood_are_request_response_headers_phases_and_prefetch(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    service.timing = "read;dur=0.25, advise;dur=0.75"
    html, parsed = page(browser_of_pages, PATIENT)
    hood = html[html.index("Under the hood") :]
    text = Page(f"<div>{hood[hood.index('<details') : hood.index('</section>')]}</div>").text
    assert re.search(r"1 card in \d+ ms", text)
    assert "read 0.2 ms" in text
    assert "advise 0.8 ms" in text
    assert "network and the rest" in text
    assert "results sent: 8 of 8" in text
    assert "immunizations empty" in text
    assert "Bundle with 0 of 0 resources" in text
    assert re.search(r"Authorization Bearer \S{1,20}…", text)
    whole = browser_of_pages.get(next(link for link in parsed.links if link.endswith(".json")))
    assert whole.json == json.loads(json.dumps(service.calls[0])) | {
        "fhirAuthorization": whole.json["fhirAuthorization"]  # its token is shortened
    }
    assert whole.json["fhirAuthorization"] != service.calls[0]["fhirAuthorization"]


def test_a_form_leaves_the_chart_open_once_and_reloading_opens_it_anew(
    browser_of_pages: FlaskClient, service: StubService
) -> None:
    _, parsed = page(browser_of_pages, PATIENT)
    override = next(way for way in parsed.posts if way.endswith("/override"))
    given = {"form_token": form_token(browser_of_pages), "reason": "patient-refuses"}
    answer = browser_of_pages.post(override, data=given)
    assert (answer.status_code, answer.location) == (303, PATIENT)
    page(browser_of_pages, PATIENT)
    assert len(service.calls) == 1
    page(browser_of_pages, PATIENT)
    assert len(service.calls) == 2
