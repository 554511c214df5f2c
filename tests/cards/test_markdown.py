"""Card text: no value of a chart can form markup, hide a character or run over (CARD-01 to CARD-04)."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cards.markdown import SUMMARY_LIMIT, bullets, capital, escape, fit, listed, longest_that_fits, plain, section, table

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
"""As unforgiving as a client can be: HTML let through, with the tables and strikethrough of GitHub's Markdown."""

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "<https://evil.example>",
    "https://evil.example/?q=1",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "WWW.EVIL.EXAMPLE",
    "**bold** _it_ `code` ~~no~~",
    "# heading",
    "> quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "2) item",
    "---",
    "- - -",
    "===",
    "| a | b |",
    "a | b",
    "&lt;b&gt; &amp; &#x3c;",
    "line\n\n# heading",
    "line\r\n- item",
    "    indented code",
    "\ttab",
    "```fence",
    "~~~fence",
    "[x]: https://evil.example",
    "[^1]",
    "trailing \\",
    "\\<b>",
    "a\u202egnp.exe",
    "zero\u200bwidth",
    "a\u2028- item",
    "e\u200d\u0301",
    "\x00\x1b[31m",
    "\ud800",
    "😀" * 200,
    "x" * 1000,
    "mailto:a@b.example",
    "someone@evil.example",
]
STRUCTURE = set("\n\r<>[]()!*_`~#|\\&-+=.:/@\t {}^$'\"1")
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.text(alphabet=[*sorted(STRUCTURE), "a", "w", "😀", "\u202e", "\u0301"], max_size=40),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map("".join),
)

GFM_AUTOLINK = re.compile(r"https?://|ftp://|www\.|[\w.+-]+@[\w-]+\.\w|mailto:\S+@|xmpp:\S+@", re.IGNORECASE)
"""What GitHub's Markdown makes a link of without being asked."""


def leaves(tokens: list[Token]) -> list[Token]:
    """The tokens of a document, those inside inline ones in their place."""
    return [leaf for token in tokens for leaf in (leaves(token.children) if token.children is not None else [token])]


def kinds(markdown: str) -> set[str]:
    return {token.type for token in leaves(RENDERER.parse(markdown))} - {"text", "text_special"}


def text_of(markdown: str) -> str:
    return "".join(token.content for token in leaves(RENDERER.parse(markdown)))


def example_each(function):  # type: ignore[no-untyped-def]
    for text in HOSTILE:
        function = example(text)(function)
    return function


@pytest.mark.requirement("C-5", "CARD-01")
@example_each
@given(texts)
def test_a_value_in_a_paragraph_is_nothing_but_text(text: str) -> None:
    markdown = escape(text)
    assert kinds(f"Because of {markdown}") == {"paragraph_open", "paragraph_close"}
    assert text_of(f"Because of {markdown}").replace("\u200a", "") == f"Because of {plain(text)}".rstrip().replace("\u200a", "")


@example_each
@given(texts)
def test_a_value_at_the_start_of_a_line_is_nothing_but_text(text: str) -> None:
    assert kinds(escape(text)) <= {"paragraph_open", "paragraph_close"}


@example_each
@given(texts)
def test_a_value_in_a_list_is_one_item_of_text(text: str) -> None:
    assert kinds(bullets([escape(text), "next"])) <= {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close"),
    }
    assert RENDERER.render(bullets([escape(text), "next"])).count("<li>") == 2


@example_each
@given(texts)
def test_a_value_in_a_table_stays_in_its_cell(text: str) -> None:
    html = RENDERER.render(table(("Option", "Who"), [(escape(text), "Titulaer 2011")]))
    assert html.count("<td") == 2
    assert set(re.findall(r"</?(\w+)", html)) == {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.requirement("CARD-02")
@example_each
@given(texts)
def test_a_value_is_never_made_a_link_by_itself(text: str) -> None:
    assert GFM_AUTOLINK.search(escape(text)) is None


@pytest.mark.requirement("CARD-03")
@example_each
@given(texts)
def test_no_control_format_or_private_character_is_left_and_the_text_is_composed(text: str) -> None:
    cleaned = plain(text)
    assert {unicodedata.category(ch) for ch in cleaned}.isdisjoint({"Cc", "Cf", "Co", "Cs"})
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())


@pytest.mark.requirement("CARD-04", "C-4")
@example_each
@given(texts)
def test_a_summary_is_short_in_code_points_and_in_utf_16(text: str) -> None:
    summary = fit(text * 9)
    assert len(summary) <= SUMMARY_LIMIT
    assert len(summary.encode("utf-16-le")) <= 2 * SUMMARY_LIMIT
    assert "\n" not in summary


@given(st.text(alphabet=st.characters(categories=("L", "N", "So")), max_size=139))
def test_a_summary_that_fits_is_left_as_it_is(text: str) -> None:
    assert len(plain(text).encode("utf-16-le")) > 2 * SUMMARY_LIMIT or fit(text) == plain(text)


def test_a_long_summary_is_cut_at_a_word_and_says_so() -> None:
    sentence = "Tumour screening in dermatomyositis: " + "colonoscopy, " * 20
    assert fit(sentence).endswith("colonoscopy…")
    assert fit(sentence, 20) == "Tumour screening…"


def test_a_cut_never_splits_an_emoji() -> None:
    assert fit("😀" * 100) == "😀" * 69 + "…"


@pytest.mark.parametrize(
    ("words", "sentence"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_in_speech(words: list[str], sentence: str) -> None:
    assert listed(words) == sentence


def test_a_section_without_a_body_is_not_shown() -> None:
    assert section("Why", "") == ""
    assert section("Why", "- age 62") == "**Why**\n\n- age 62"


def test_only_the_first_letter_is_raised() -> None:
    assert (capital("anti-TIF1-γ positive"), capital("")) == ("Anti-TIF1-γ positive", "")


def test_the_longest_wording_that_fits_is_chosen_and_the_last_is_cut_where_none_does() -> None:
    assert longest_that_fits(["x " * 100, "long enough", "short"]) == "long enough"
    assert longest_that_fits(["x " * 100, "word " * 100]).endswith("word…")
    assert len(longest_that_fits(["word " * 100])) <= SUMMARY_LIMIT


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_no_text_of_a_chart_can_pass_for_a_wording_of_its_own(wordings: list[str]) -> None:
    chosen = longest_that_fits(wordings)
    assert chosen in [plain(wording) for wording in wordings] or chosen == fit(wordings[-1])
