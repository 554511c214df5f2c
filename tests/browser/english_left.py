"""Which English sentences of the program a page in another language still shows."""

import re
from functools import cache

from playwright.sync_api import Page

from server.languages.catalogue import catalogue

_TEXTS = """() => {
    document.querySelectorAll('details').forEach(one => { one.open = true });
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode.data);
    document.querySelectorAll('[aria-label]').forEach(one => texts.push(one.getAttribute('aria-label')));
    return texts;
}"""
_LEAST_LETTERS = 4
"""A shorter text, such as an abbreviation, may be the same in two languages."""


def english_left(page: Page, language: str = "de") -> set[str]:
    """Every text and label of the page that a translated pattern of the catalogue made, in English.

    Args:
        page: in the other language.
        language: of the catalogue.
    """
    shown = {" ".join(text.split()) for text in page.evaluate(_TEXTS)}
    return {text for text in shown if len(text) >= _LEAST_LETTERS and _english(language).fullmatch(text)}


@cache
def _english(language: str) -> re.Pattern[str]:
    """Any text that the program writes in English although it has a translation."""
    patterns = [
        text
        for text, translated in catalogue(language).texts.items()
        if text.casefold() != translated.casefold() and len(_literal(text)) >= _LEAST_LETTERS
    ]
    return re.compile("|".join(map(_pattern, patterns)), re.IGNORECASE)


def _literal(text: str) -> str:
    return " ".join(re.sub(r"\{\w+\}", "", text).split())


def _pattern(text: str) -> str:
    return ".+?".join(re.escape(part) for part in re.split(r"\{\w+\}", " ".join(text.split())))
