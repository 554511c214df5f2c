"""Whatever stands in a chart of the sandbox, or on a card that it is sent, its pages show text (CARD-01 to CARD-03)."""

import pytest
from flask.testing import FlaskClient

from cards.markdown import escape
from sandbox import chart_store
from sandbox.application import create_sandbox
from sandbox.charts import Chart, load_charts
from sandbox.visible import visible
from tests.hostile import HIDDEN, MARKUP, Dom, gained, poisoned
from tests.sandbox.conftest import AS_OF, CARD, StubService
from tests.sandbox.desks import KEYS
from tests.sandbox.reading_pages import PATIENT, SLUG

PAGES = ("/", PATIENT, f"{PATIENT}/orders", f"{PATIENT}/facts")


def opened(browser: FlaskClient) -> list[str]:
    """The pages of one patient, as they are answered."""
    answers = [browser.get(path) for path in PAGES]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


@pytest.mark.requirement("CARD-01", "CARD-02", "CARD-03")
def test_a_hostile_chart_and_a_hostile_card_add_nothing_to_the_pages_but_text(
    service: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, notes, results, units, titles of documents, and every text of a card; in its detail as our cards print a chart."""

    def browser() -> FlaskClient:
        return create_sandbox(service.url, today=lambda: AS_OF, keys=KEYS).test_client()

    honest = Dom("")
    for html in opened(browser()):
        honest.feed(html)
    told = load_charts()
    for poison in (" ".join(MARKUP), " ".join(HIDDEN), *MARKUP[:3]):
        ours = told[SLUG]
        chart = Chart(ours.story, tuple(poisoned(one, poison) for one in ours.resources))
        monkeypatch.setattr(chart_store, "load_charts", lambda chart=chart: {**told, SLUG: chart})
        card = CARD | {
            "summary": poison,
            "detail": f"**Why**\n\n- {escape(poison)}",
            "source": {"label": poison, "topic": {"code": "x", "display": poison}},
        }
        service.answer = {"cards": [card | {"overrideReasons": [{"code": poison, "display": poison}]}]}
        for page in opened(browser()):
            assert gained(page, honest) == []


def test_what_can_be_seen_stays_as_it_is() -> None:
    assert visible("Größe 3\u202fcm, anti-TIF1-γ\n日本 😀") == "Größe 3 cm, anti-TIF1-γ\n日本 😀"
    assert visible("a\u202eb\x00c\td") == "abc d"
