"""Hostile texts of a chart as three readers of Markdown show them; whole cards, in which none of them is (CARD-01 to CARD-03)."""

import re
import unicodedata
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cards.markdown import SUMMARY_LIMIT, bullets, escape, fit, table
from sandbox.markdown import render_folded
from server.evaluation import evaluate
from tests.cards.test_markdown import GFM_AUTOLINK, HOSTILE, RENDERER
from tests.for_each import for_each
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
    found: list[Json] = list(evaluate([bundle], as_of=AS_OF, seed="x").cards)
    return found


def shown(markdown: str) -> list[Elements]:
    """What three readers make of it: one that lets HTML through, one like GitHub's, and the sandbox."""
    return [Elements(html) for html in (RENDERER.render(markdown), _gfm().render(markdown), "".join(render_folded(markdown)))]


@pytest.mark.requirement("CARD-01", "CARD-02")
@for_each("poison", [*HOSTILE, *MORE])
def test_no_text_is_an_element_a_link_or_an_image_in_any_reader(poison: str) -> None:
    value = escape(poison)
    for markdown in (value, f"Because of {value}.", bullets([value, f"**{value}**"]), table(("a", "b"), [(value, f"_{value}_")])):
        for found in shown(markdown):
            assert found.tags <= ALLOWED
            assert set(found.attributes) <= {"class", "role", "aria-label", "tabindex"}
    assert not GFM_AUTOLINK.search(value)


@pytest.mark.requirement("CARD-03")
@for_each("poison", [*HOSTILE, *MORE])
def test_no_text_hides_reverses_or_decomposes_a_letter(poison: str) -> None:
    for text in (escape(poison), fit(poison)):
        assert not [letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs")]
        assert unicodedata.is_normalized("NFC", text)
    assert len(fit(poison * 20).encode("utf-16-le")) <= 2 * SUMMARY_LIMIT


@pytest.mark.requirement("CARD-01", "CARD-02", "CARD-03")
@pytest.mark.parametrize("poison", ["hostile words", *MORE[:3]])
def test_cards_say_in_our_own_words_what_the_codes_of_a_chart_say(poison: str) -> None:
    cards = cards_of(poison)
    assert len(cards) >= 3
    links = set(re.findall(r"\]\((https://[^)\s]+)\)", " ".join(card["detail"] for card in cards_of(""))))
    for card in cards:
        assert not [text for text in (card["summary"], card["detail"]) if poison[:9] in text or escape(poison)[:9] in text]
        for found in shown(card["detail"]):
            assert found.tags <= ALLOWED | {"a"}
            assert found.attributes.get("href", set()) <= links


@pytest.mark.parametrize(
    "poison", ["<script>alert(1)</script>", "![x](https://evil.example/p.png)", "[click](https://evil.example)"]
)
def test_what_is_looked_for_would_be_found(poison: str) -> None:
    assert any(found.tags - ALLOWED or set(found.attributes) & {"href", "src"} for found in shown(poison))
