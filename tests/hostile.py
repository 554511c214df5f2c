"""Text that wants to be more than text, charts full of it, and what a page must not have got from it (CARD-01 to CARD-03)."""

import unicodedata
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "</title></style></textarea></svg></p><iframe srcdoc=x>",
    "<a href=//evil.example>x</a><base href=https://evil.example/>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<!--><xmp>]]>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "&lt;b&gt;&#x3c;i&#x3e;",
    "![x](https://evil.example/p.png)[click](javascript:alert(1))",
    "<javascript:alert(1)> https://evil.example/?q www.evil.example",
    "data:text/html,<b>x</b>",
    "**bold** | a | b |\n|---|---|\n# heading\n- item",
)
HIDDEN = (
    *("\u202egnp.exe", "\u2066x\u2069", "\u200bzero\u200dwidth\ufeff", "\x00", "\x1b[2J", "\x85", "\u2028", "\u00ad", "\ue000"),
    *("\U000e0041tag", "\u061c", "\u180e", "e\u0301" * 30),
)
HOSTILE = (*MARKUP, *HIDDEN)

hostile = st.lists(
    st.sampled_from(HOSTILE) | st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12), min_size=1, max_size=4
).map(" ".join)
"""Some of it, with other text between."""

_FOR_PEOPLE = frozenset({"text", "display", "family", "title", "conclusion", "description", "valueString", "unit", "div"})


def poisoned(value: Any, poison: str) -> Any:
    """The same FHIR data with the poison as every name, note, title, result in words, unit and display.

    Args:
        value: JSON; not changed.
        poison: instead of what stands there.
    """
    if isinstance(value, list):
        return [poisoned(one, poison) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {
        key: poison if key in _FOR_PEOPLE and isinstance(one, str) else poisoned(one, poison) for key, one in value.items()
    }
    return changed | ({"given": [poison, poison]} if "given" in changed else {})


class Dom(HTMLParser):
    """What a page is made of.

    Args:
        html: the page.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: set[tuple[str, str]] = set()
        self.hosts: set[tuple[str, str]] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Tags with their attributes; of what leads or loads somewhere, where to."""
        self.parts |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        leading = [
            value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "formaction", "data", "poster")
        ]
        self.hosts |= {(urlsplit(url.strip()).scheme, urlsplit(url.strip()).netloc) for url in leading}
        self.text += "".join(value or "" for _, value in attrs)

    def handle_data(self, data: str) -> None:
        """What is read, a template's own line breaks and all."""
        self.text += data


def gained(html: str, allowed: Dom) -> list[str]:
    """What a page has that it must not have: tags, attributes, places where it leads, and letters that hide.

    Args:
        html: of a hostile chart.
        allowed: what pages of honest charts have.
    """
    page = Dom(html)
    hidden = {
        f"U+{ord(letter):04X}" for letter in page.text if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Co")
    }
    return [*map(str, sorted(page.parts - allowed.parts)), *map(str, sorted(page.hosts - allowed.hosts)), *sorted(hidden)]
