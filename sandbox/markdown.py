"""The detail of a card, from Markdown to HTML that cannot do harm.

A card comes over the network: HTML in it is shown as text, images are not fetched, and `javascript:` links stay text.
"""

from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup

DEEPEST_HEADING = 6
CARD_HEADING = 3
"""A card's summary is a heading of this level, so headings inside its detail start below."""


def render_markdown(text: object) -> Markup:
    """HTML of a card's detail (GitHub-flavoured Markdown with tables, without HTML and without images)."""
    parser = _parser()
    tokens = parser.parse(str(text))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(DEEPEST_HEADING, CARD_HEADING + int(token.tag[1:]))}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - the parser escapes all of the text


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def web_address(url: object) -> str:
    """The URL if it is one of the web, else nothing: a card cannot bring a link that does something else."""
    return url if isinstance(url, str) and urlsplit(url).scheme in ("http", "https") else ""
