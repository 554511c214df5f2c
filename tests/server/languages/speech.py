"""A small catalogue for the tests, so that none depends on how the translators put it."""

from collections.abc import Mapping
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from server.languages import speaking
from server.languages.catalogue import Catalogue, usable

PO = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);"

msgid "no {title} on record, since {day}"
msgstr "seit {day} kein Eintrag: {title}"

msgid "{number} test of {title}"
msgid_plural "{number} tests of {title}"
msgstr[0] "{number} Test: {title}"
msgstr[1] "{number} Tests: {title}"

msgid "between {first} and {last}"
msgstr "zwischen {first} und {last}"

msgid "lung function"
msgstr "Lungenfunktion"

msgid "creatine kinase {value:g} times the limit"
msgstr "Kreatinkinase {value:g}-fach über der Grenze"

msgid "weight {value:,.1f}"
msgstr "Gewicht {value:,.1f}"

msgid "drug safety"
msgstr "Arzneimittelsicherheit"

#, fuzzy
msgid "a doubtful one"
msgstr "eine zweifelhafte"

msgid "an empty one"
msgstr ""

msgid "<b>{name}</b> *is* known"
msgstr "<b>{name}</b> *ist* bekannt"
"""


def small_catalogue(more: str = "") -> Catalogue:
    """The catalogue above, and what a test adds to it."""
    return usable(read_po(BytesIO((PO + more).encode()), locale="de"), "de")


def speak_small(monkeypatch: pytest.MonkeyPatch, more: Mapping[str, str] | None = None) -> None:
    """Let German be what this catalogue says, and `more`."""
    entries = "".join(f'\nmsgid "{text}"\nmsgstr "{said}"\n' for text, said in (more or {}).items())
    known = small_catalogue(entries)
    monkeypatch.setattr(speaking, "catalogue", lambda _: known)
