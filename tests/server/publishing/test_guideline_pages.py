"""The `/guidelines` pages: every statement, every rule and every contradiction, for the clinician who reviews them."""

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from cards.knowledge import Rule, knowledge
from cards.source_attributes import source_attributes
from server.application import create_app
from server.publishing import guideline_views
from server.publishing.guideline_pages import CONTENT_SECURITY_POLICY
from tests.for_each import for_each
from tests.server.answers import check_outcome, diagnostics
from tests.server.conftest import CONFIG

KNOWN = knowledge()
GUIDELINES = sorted({rule.guideline for rule in KNOWN.rules})
PAGES = ["", "/contradictions", "/drug-safety", "/orders", *(f"/{name}" for name in GUIDELINES)]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """One client for all tests here, since the pages are made once."""
    return create_app(CONFIG).test_client()


class Reader(HTMLParser):
    """Reads a page: its text, ids, links and elements, and whether what is opened is closed."""

    VOID = frozenset(("meta", "link", "br", "img", "hr", "input", "wbr"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [str(attributes["id"])] if "id" in attributes else []
        self.links += [str(attributes["href"])] if tag == "a" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.pieces += [" "] if tag in ("dt", "dd", "li", "p", "ul") else []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.pieces))


def read(client: FlaskClient, path: str) -> Reader:
    response = client.get(f"/guidelines{path}")
    assert response.status_code == 200, path
    assert response.content_type == "text/html; charset=utf-8"
    reader = Reader(response.text)
    assert reader.open == []
    return reader


def article(client: FlaskClient, guideline: str, recommendation: str) -> str:
    """The text of one statement."""
    page = client.get(f"/guidelines/{guideline}").text
    found = re.search(rf'<article id="{recommendation}".*?</article>', page, re.DOTALL)
    assert found is not None
    return Reader(found.group()).text


# --- every page ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_and_loads_only_our_stylesheet(client: FlaskClient, path: str) -> None:
    response = client.get(f"/guidelines{path}")
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    page = read(client, path)
    assert not [tag for tag, _ in page.elements if tag in ("script", "iframe", "object", "form", "style")]
    assert not [name for _, attributes in page.elements for name in attributes if name == "style" or name.startswith("on")]
    for tag, attributes in page.elements:
        if tag == "link":
            with client.get(str(attributes["href"])) as loaded:
                assert loaded.status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_its_landmarks_and_tells_its_language_and_title(client: FlaskClient, path: str) -> None:
    tags = [tag for tag, _ in read(client, path).elements]
    assert [tags.count(tag) for tag in ("main", "header", "footer", "h1", "title")] == [1, 1, 1, 1, 1]
    assert dict(read(client, path).elements)["html"] == {"lang": "en"}
    assert "not clinically validated" in read(client, path).text


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(client: FlaskClient, path: str) -> None:
    """Links to this service are followed, with their anchor; others are addresses of sources."""
    page = read(client, path)
    assert len(page.ids) == len(set(page.ids))
    for link in set(page.links):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        response = client.get(target or f"/guidelines{path}")
        assert response.status_code == 200, link
        assert not anchor or f'id="{anchor}"' in response.text, link


@pytest.mark.parametrize("path", PAGES)
def test_no_trace_of_code_is_left_in_what_is_read(client: FlaskClient, path: str) -> None:
    text = read(client, path).text
    assert not re.search(r"\bNone\b(?! transcribed)|Undefined|\{\{|\{%|<|Mapping|Words\(", text)
    assert not re.search(r"\.\.|\(\)| ,|“”", text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_be_kept_until_it_changes(client: FlaskClient, path: str) -> None:
    response = client.get(f"/guidelines{path}")
    assert response.headers["Cache-Control"].startswith("public")
    again = client.get(f"/guidelines{path}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_a_page_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    response = client.get("/guidelines/no-such-guideline")
    assert response.status_code == 404
    check_outcome(response.get_json(force=True))
    assert diagnostics(response.get_json(force=True)).startswith("MYO-1306")
    assert client.get("/guidelines/static/../guideline_pages.py").status_code == 404


def test_nothing_can_be_written(client: FlaskClient) -> None:
    assert client.post("/guidelines").status_code == 405
    assert client.put("/guidelines/titulaer-2011").status_code == 405


def test_the_front_page_leads_here(client: FlaskClient) -> None:
    assert {"/guidelines", "/fhir/metadata"} <= set(Reader(client.get("/").text).links)


# --- the index -----------------------------------------------------------------------------------------------------------------


def test_the_index_lists_the_fourteen_guidelines_by_year() -> None:
    fourteen = guideline_views.index(KNOWN).fourteen
    assert len(fourteen) == 14
    years = [guideline.source.year or 0 for guideline in fourteen]
    assert years == sorted(years)
    assert all(guideline.source.specialty for guideline in fourteen)


def test_the_index_counts_every_statement_once() -> None:
    index = guideline_views.index(KNOWN)
    listed = (*index.fourteen, *index.review_and_summary, *index.later)
    assert sum(guideline.computed + guideline.stated for guideline in listed) == len(KNOWN.rules)
    assert {guideline.page for guideline in listed if guideline.page} == set(GUIDELINES)


def test_the_index_names_every_source(client: FlaskClient) -> None:
    text = read(client, "").text
    for source in KNOWN.sources.values():
        assert source.citation in text


# --- a guideline ---------------------------------------------------------------------------------------------------------------


@for_each("rule", KNOWN.rules, ids=lambda rule: rule.id)
def test_a_statement_stands_on_its_page_with_all_that_belongs_to_it(client: FlaskClient, rule: Rule) -> None:
    text = article(client, rule.guideline, rule.id).casefold()
    expected = [rule.says, rule.id, f"PlanDefinition/{rule.id}", *(note.text for note in rule.notes)]
    expected += [known.citation for known in rule.sources] + [known.evidence for known in rule.sources]
    expected += [KNOWN.orders[order]["title"] for order in rule.orders]
    expected += [KNOWN.treatments[offer.treatment].title for offer in rule.offers]
    expected += [KNOWN.treatments[treatment].title for treatment in rule.avoid]
    expected += [f"{code}: {KNOWN.disputes[code].contradiction.title}" for code in rule.conflicts]
    expected += [part for a in source_attributes(rule, KNOWN) for part in (a.name, a.value)]
    expected += [rule.stated, "stated"] if rule.stated else ["computed"]
    for piece in expected:
        assert piece.casefold() in text


def test_the_colonoscopy_statement_reads_as_a_reviewer_would_check_it(client: FlaskClient) -> None:
    text = article(client, "titulaer-2011", "titulaer-2011-dm-colonoscopy-over-50")
    assert "Recommended computed titulaer-2011-dm-colonoscopy-over-50" in text
    assert (
        "Whom it concerns all of these: “adult dermatomyositis” aged 50 or over one or more of these: "
        "over 50 no colonoscopy on record (neither done nor ordered)"
    ) in text
    assert "Tumour screening, info: “Colonoscopy over the age of 50 in dermatomyositis: recommended (Titulaer 2011)”" in text
    assert "Colonoscopy where: over 50" in text
    assert "Tests count from 12 months before the disease began." in text


def test_the_groups_on_a_page_are_explained_at_its_foot(client: FlaskClient) -> None:
    page = read(client, "/titulaer-2011")
    assert "group-adult-dermatomyositis" in page.ids
    assert "group-third-line" not in page.ids
    assert "a confirmed dermatomyositis or clinically amyopathic dermatomyositis" in page.text


# --- contradictions, drug safety, orders ---------------------------------------------------------------------------------------


def test_every_contradiction_is_there_with_all_its_sides_and_its_statements(client: FlaskClient) -> None:
    page = read(client, "/contradictions")
    for code, dispute in KNOWN.disputes.items():
        assert code in page.ids
        for line in dispute.contradiction.lines:
            assert line in page.text
        for rule in guideline_views.taking_part(code, KNOWN):
            assert f"/guidelines/{rule.guideline}#{rule.id}" in page.links


def test_every_safety_rule_is_there_with_level_source_and_state(client: FlaskClient) -> None:
    page = read(client, "/drug-safety")
    text = page.text.casefold()
    for rule in (*KNOWN.safety, *KNOWN.safety_off):
        assert rule.id in page.ids
        assert rule.says.casefold() in text
        assert rule.source.citation.casefold() in text
    assert [level for level in page.ids if level in guideline_views.LEVELS] == list(guideline_views.LEVELS)


def test_every_order_is_there_with_its_codes_and_who_asks_for_it(client: FlaskClient) -> None:
    page = read(client, "/orders")
    for key, entry in KNOWN.orders.items():
        assert key in page.ids
        for coding in entry.get("coding", ()):
            assert coding["code"] in page.text
        for rule in guideline_views.asked_for_by(key, KNOWN):
            assert f"/guidelines/{rule.guideline}#{rule.id}" in page.links
