"""What a chart wrote is the same in every language, though it may read like a word of ours (SM-09)."""

import re
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.languages.catalogue import catalogue
from server.languages.speaking import in_language
from server.languages.templates import spoken_in
from server.patient_page.banner import identity
from server.patient_page.charts import charts
from server.patient_page.opened import Banner
from server.patient_page.page import render
from server.patient_page.rendering import environment
from server.patient_page.unseen import unseen
from tests.patient import Patient
from tests.server.charts import Json
from tests.server.patient_page.patients import opened, opened_chart

OUR_WORDS = sorted(text for text, said in catalogue("de").texts.items() if text != said and "{" not in text)
"""Everything whole that the German catalogue would say in another way."""

FOR_MACHINES = re.compile(r"""\b(?:class|id|for|role|aria-labelledby|value)="[^"]*"|href="\#[^"]*\"""")


@pytest.mark.requirement("SM-09")
@given(*[st.sampled_from(OUR_WORDS)] * 4)
def test_the_banner_is_the_same_in_every_language(name: str, birth_date: str, identifier: str, sex: str) -> None:
    shown = identity(Banner(name, birth_date, identifier, f"{sex} "))  # a code of FHIR's own has no blank and is in our words
    assert shown is not None
    english = asdict(shown)
    assert in_language(english, "de") == english
    template = environment().from_string("{{ name }}|{{ born }}|{{ identifier }}|{{ sex }}")
    with spoken_in("de"):
        german = template.render(english)
    assert german == template.render(english)


def test_words_of_ours_in_the_banner_are_said_in_the_language_of_the_reader() -> None:
    shown = identity(Banner("", "1991-02-17", "", "female"))
    assert shown is not None
    assert in_language(asdict(shown), "de") == {
        "name": "Kein Name in der Akte",
        "born": "17. Februar 1991",
        "sex": "weiblich",
        "identifier": "",
    }


@pytest.mark.requirement("SM-09")
def test_a_patient_is_called_on_the_german_page_as_in_the_chart() -> None:
    patient = replace(opened("healthy"), banner=Banner("Born", "Born", "Option", "No"))
    banner = re.findall(r'<p class="who">(.*)</p>|<dd>(.*?)</dd></div>', render(patient, {}, "de").partition("<main")[0])
    assert ["".join(found) for found in banner] == ["Born", "Born", "No", "Option"]


@pytest.mark.requirement("SM-09")
def test_units_and_references_of_a_chart_are_the_same_in_every_language() -> None:
    bundle = Patient().has("dermatomyositis").bundle()
    bundle["entry"] += [_nameless("Option", day="2026-03-01"), _nameless("Missing", day="not a day")]
    patient = opened_chart(bundle)
    (drawn,) = (one for one in charts(patient.evaluation).series if one.concept == "g6pd")
    assert in_language([(drawn.unit, fact.value, fact.reference) for fact in drawn.facts], "de") == [
        ("No", "7 No", "Option"),
        ("No", "7 No", "Missing"),
    ]
    assert in_language([one.reference for one in unseen(patient).problems], "de") == ["Missing.effectiveDateTime"]


def _nameless(url: str, *, day: str) -> Json:
    """A result without an id, which is called by its `fullUrl`, in a unit that nobody converts here, so that it stays as sent."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2358-0"}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": 7, "unit": "No"},
    }
    return {"fullUrl": url, "resource": observation}


@pytest.mark.parametrize("slug", ["classic-dermatomyositis", "inclusion-body-myositis-on-prednisone"])
def test_what_style_and_links_go_by_is_the_same_in_every_language(slug: str) -> None:
    english, german = ({*FOR_MACHINES.findall(render(opened(slug), {}, language))} for language in ("en", "de"))
    assert english == german
