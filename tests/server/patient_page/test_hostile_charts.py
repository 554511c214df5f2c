"""What a chart holds is printed as text, whatever it holds (CARD-01 to CARD-03)."""

import unicodedata
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings

from server.patient_page.opened import Banner
from server.patient_page.page import render
from server.patient_page.patient_summary import render_summary
from tests.hostile import HIDDEN, MARKUP, Dom, gained, hostile
from tests.hostile import poisoned as everywhere
from tests.server.charts import chart
from tests.server.patient_page.html_pages import ReadPage
from tests.server.patient_page.patients import opened, opened_chart, story_page

STORY = "srp-necrotising-myopathy-refractory"
HOSTILE = [
    "<script>alert(1)</script>{{ 7*7 }}{% raw %}",
    '"><img src=x onerror=alert(1)></title></p><iframe srcdoc=x>',
    "\u202egnp.exe\u2066 zero\u200bwidth\x00\x1b[2J",
    "![](https://evil.example/x.png)[click](javascript:alert(1))",
]


def poisoned(value: Any, poison: str) -> Any:
    """The same chart with the poison in every text for people, in every display, and as an id where one is free."""
    if isinstance(value, dict):
        return {
            key: poison
            if key in ("text", "display", "family", "title", "conclusion") and isinstance(one, str)
            else poisoned(one, poison)
            for key, one in value.items()
        }
    return [poisoned(one, poison) for one in value] if isinstance(value, list) else value


@pytest.mark.requirement("CARD-01", "CARD-02", "CARD-03")
@pytest.mark.parametrize("poison", HOSTILE)
def test_no_text_of_a_chart_becomes_markup_or_hides(poison: str) -> None:
    clean = ReadPage(story_page(STORY))
    bundle = poisoned(chart(STORY), poison)
    for number, entry in enumerate(bundle["entry"]):
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["id"] = f"{poison}-{number}"
            entry["resource"]["valueString"] = poison
    patient = replace(opened_chart(bundle), banner=Banner(poison, poison, poison, poison))
    for html in (render(patient, {"suppose": poison, "and": poison}, "en"), render_summary(patient, "en")):
        page = ReadPage(html)
        assert page.problems == []
        assert page.tags <= clean.tags | {"dl", "section"}
        assert not {name for name in page.attributes if name.startswith("on") or name in ("src", "srcdoc")} - {"src"}
        assert not [link for link in page.links if "evil" in link or "javascript" in link]
        assert not [letter for letter in html if unicodedata.category(letter) in ("Cf", "Cc") and letter != "\n"]


@pytest.mark.requirement("CARD-01")
def test_a_launch_and_a_token_cannot_leave_their_attribute() -> None:
    patient = replace(opened("healthy"), launch='"><b>', form_token='"><i>')
    page = ReadPage(render(patient, {"language": '"><u>'}, "en"))
    assert page.problems == []
    assert not page.tags & {"b", "i", "u"}


@cache
def honest() -> Dom:
    """What the page and the summary of honest charts are made of, over several stories: drawings, forms and tables."""
    dom = Dom("")
    for slug in (STORY, "anti-tif1-gamma-dermatomyositis", "inclusion-body-myositis-on-prednisone"):
        for html in (story_page(slug), render_summary(opened(slug), "en")):
            dom.feed(html)
    return dom


@pytest.mark.requirement("CARD-01", "CARD-02", "CARD-03")
@settings(max_examples=8, deadline=None)
@example("".join(MARKUP))
@example("".join(HIDDEN))
@given(hostile)
def test_a_hostile_chart_adds_no_tag_no_attribute_no_link_and_no_hidden_letter(poison: str) -> None:
    """Names, results in words, units, notes, titles of documents, on the page, in its drawings and in the patient's summary."""
    bundle = everywhere(chart(STORY), poison)
    patient = replace(opened_chart(bundle), banner=Banner(poison, poison, poison, poison))
    for html in (render(patient, {"suppose": poison, "and": poison}, "en"), render_summary(patient, "de")):
        assert gained(html, honest()) == []
        assert ReadPage(html).problems == []
