"""Every text of the page can be said in another language: with a catalogue that marks what it knows, nothing is left unmarked."""

import re

import pytest

from server.languages import speaking
from server.languages.catalogue import Catalogue
from server.patient_page.page import render
from server.patient_page.patient_summary import render_summary
from tests.server.languages.said import collected
from tests.server.patient_page.patients import opened

_WITHOUT_LANGUAGE = re.compile(r"[\W\d]*|[a-z0-9-]+-[a-z0-9-]+|.*\d.*|English|Deutsch|myositis-cds|· myositis-cds|Ines Demoford")
"""Ids, years and citations, what languages call themselves, names."""


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every text that was collected stands in double brackets."""
    found = collected()
    texts = {one.text: f"[[{one.text}]]" for one in found if not one.plural}
    plurals = {one.text: (f"[[{one.text}]]", f"[[{one.plural}]]") for one in found if one.plural}
    known = Catalogue("de", texts, plurals, lambda number: 0 if number == 1 else 1)
    monkeypatch.setattr(speaking, "catalogue", lambda _: known)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("slug", ["classic-dermatomyositis", "inclusion-body-myositis-on-prednisone"])
def test_nothing_that_the_page_says_is_without_a_translation(slug: str) -> None:
    query = {"suppose": "anti-mda5:positive,fvc:low,kidney-function:clearance-20"}
    pages = (without_drawings(render(opened(slug), query, "de")), render_summary(opened(slug), "de"))
    for html in pages:
        said = [text.strip() for text in re.split(r"<[^>]*>", re.sub(r'<span class="reference">[^<]*</span>', "", html))]
        citations = {source.citation for source in opened(slug).basis.knowledge.sources.values()}
        left = {text for text in said if "[[" not in text and not _WITHOUT_LANGUAGE.fullmatch(text)}
        assert {text for text in left if not any(text.rstrip(".") in citation for citation in citations)} == set()
        attributes = re.findall(r'(?:aria-label|data-label|label)="([^"]+)"', html)
        assert [value for value in attributes if "[[" not in value] == []


def without_drawings(html: str) -> str:
    """The page without timeline, charts and calendar, whose rows bear the titles of ValueSets."""
    for section in ("timeline", "charts", "calendar"):
        start = html.index(f'<section id="{section}"')
        html = html[:start] + html[html.index('<section id="', start + 1) :]
    return html
