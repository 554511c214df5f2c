"""The detail of a card, from Markdown to HTML that cannot do harm.

A card comes over the network: HTML in it is shown as text, images are not fetched, and `javascript:` links stay text.
"""

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from sandbox.visible import visible

DEEPEST_HEADING = 6
CARD_HEADING = 3
"""A card's summary is a heading of this level, so headings inside its detail start below."""

SHOWN_AT_ONCE = 600
"""Characters; what comes after the section in which they are reached is folded (U-5)."""


def render_folded(text: object) -> tuple[Markup, Markup]:
    """HTML of a card's detail (GitHub-flavoured Markdown with tables, without HTML and without images), in two parts: the first
    sections, and the rest, empty where the whole is short."""
    tokens = _parser().parse(visible(str(text)))
    cut = _where_to_fold(tokens)
    return _render(tokens[:cut]), _render(tokens[cut:])


def _where_to_fold(tokens: Sequence[Token]) -> int:
    seen = 0
    for place, token in enumerate(tokens):
        if seen and _begins_section(tokens, place) and seen + _length_of_section(tokens, place) > SHOWN_AT_ONCE:
            return place
        seen += len(token.content) if token.type == "inline" else 0
    return len(tokens)


def _length_of_section(tokens: Sequence[Token], start: int) -> int:
    end = next((place for place in range(start + 1, len(tokens)) if _begins_section(tokens, place)), len(tokens))
    return sum(len(token.content) for token in tokens[start:end] if token.type == "inline")


def _begins_section(tokens: Sequence[Token], place: int) -> bool:
    """A heading, or a paragraph that is nothing but bold: that is how a heading looks in a narrow panel."""
    token = tokens[place]
    if token.level or token.type not in ("heading_open", "paragraph_open"):
        return False
    words = [part for part in tokens[place + 1].children or () if part.type != "text" or part.content]
    is_bold = bool(words) and words[0].type == "strong_open" and words[-1].type == "strong_close"
    return token.type == "heading_open" or is_bold


def _render(tokens: Sequence[Token]) -> Markup:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(DEEPEST_HEADING, CARD_HEADING + int(token.tag[1:]))}"
    parser = _parser()
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - the parser escapes all of the text


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser
