"""Whole cards of a chart in which every text is hostile, as three readers of Markdown show them (CARD-01 to CARD-03)."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cards.markdown import SUMMARY_LIMIT
from sandbox.markdown import render_folded
from server.evaluation import evaluate
from tests.cards.test_markdown import GFM_AUTOLINK, HOSTILE, RENDERER
from tests.server.charts import ANTI_TIF1, AS_OF, Json, chart

MORE = [
    '"><svg/onload=alert(1)>',
    "</p></li></td></table><script>alert(1)</script>",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:alert) [y](//evil.example) <javascript:alert(1)>",
    "[a]: javascript:alert(1)\n[a]",
    "![a][b]\n\n[b]: //evil.example/pixel.png",
    "\u2066\u202egnitseuqer\u2069 \u061c\u200e\u200f\ufeff\u00ad\u180e",
    "\u0430\u0440\u0440\u04cf\u0435 A\u030a \u212b \ufb01",
    "&#106;avascript:alert(1) &NewLine;# heading &lbrack;x&rbrack;&lpar;//evil.example&rpar;",
    "\U000e0041\U000e007f\u2028# heading\u2029- item\x0b\x0c\x85- item",
]
WORDS = ("text", "display", "family", "given", "title", "conclusion", "valueString", "unit")
ALLOWED = {
    "p",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "br",
    "hr",
    "h3",
    "h4",
    "h5",
    "h6",
}


class Elements(HTMLParser):
    """Elements and attributes of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")


@cache
def _gfm() -> MarkdownIt:
    """As near to GitHub's as there is: HTML let through, tables, strikethrough, and plain addresses made links of."""
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable(["table", "strikethrough"])


def poisoned(value: Any, poison: str, name: str = "") -> Any:
    """The chart with the poison behind each text for people; the codes are left, so that the cards still come about."""
    if isinstance(value, dict):
        return {key: poisoned(one, poison, key) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, poison, name) for one in value]
    return f"{value}{poison}" if name in WORDS and isinstance(value, str) else value


@cache
def cards_of(poison: str) -> list[Json]:
    bundle = poisoned(chart(ANTI_TIF1), poison)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] != "Patient":
            entry["resource"].setdefault("code", {})["text"] = poison
    found: list[Json] = list(evaluate([bundle], as_of=AS_OF, seed="x").cards)
    return found


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one)
    elif isinstance(value, str):
        yield value


def own_links(card: Json) -> set[str]:
    """The addresses that our own text leads to: those of the sources."""
    return set(re.findall(r"\]\((https://[^)\s]+)\)", " ".join(one["detail"] for one in cards_of("")))) | {
        link["url"] for link in card.get("links", [])
    }


@pytest.mark.requirement("CARD-01", "CARD-02")
@pytest.mark.parametrize("poison", [*HOSTILE, *MORE])
def test_no_text_of_a_chart_is_an_element_a_link_or_an_image_in_any_reader(poison: str) -> None:
    cards = cards_of(poison)
    assert len(cards) >= 3
    for card in cards:
        detail = card["detail"]
        shown = [RENDERER.render(detail), _gfm().render(detail), "".join(render_folded(detail))]
        for html in shown:
            found = Elements(html)
            assert found.tags <= ALLOWED | {"a"}
            assert found.attributes.get("href", set()) <= own_links(card)
            assert set(found.attributes) <= {"href", "title", "style", "class", "role", "aria-label", "tabindex", "start"}
            assert not found.attributes.get("style", set()) - {"text-align:left", "text-align:right", "text-align:center"}
        assert not GFM_AUTOLINK.search(card["summary"]) or GFM_AUTOLINK.search(cards_of("")[0]["summary"])
        assert len(card["summary"].encode("utf-16-le")) <= 2 * SUMMARY_LIMIT


@pytest.mark.requirement("CARD-03")
@pytest.mark.parametrize("poison", MORE + [one for one in HOSTILE if not one.isascii()])
def test_no_card_hides_reverses_or_decomposes_a_letter(poison: str) -> None:
    for card in cards_of(poison):
        for text in (card["summary"], card["detail"], *texts_of(card.get("suggestions", [])[:0])):
            bad = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs")} - {"\n"}
            assert bad == set()
            assert unicodedata.is_normalized("NFC", text)


def test_the_poison_is_in_the_cards() -> None:
    """Else there would be nothing to find."""
    assert any("hostile words" in card["detail"] for card in cards_of("hostile words"))
