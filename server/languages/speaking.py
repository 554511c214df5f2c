"""The last step before a reader: sentences, and texts that the catalogue knows whole, said in the reader's language."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar, cast

from cards.markdown import fit
from fhir_profiles.dates import DateInterval
from fhir_profiles.sentences import AsWritten, Sentence
from server.languages.catalogue import ENGLISH, Catalogue, catalogue
from server.languages.days_and_numbers import Written, day_in_words

Tree = TypeVar("Tree")

FOR_MACHINES = frozenset(
    {
        *("uuid", "id", "code", "system", "coding", "url", "reference", "concept"),
        *("type", "indicator", "selectionBehavior", "recommendations", "conflicts", "knowledgeVersion", "appContext"),
        *("resource", "resourceId", "resourceType", "status", "intent", "instantiatesCanonical"),
    }
)
"""Members of JSON whose texts no person reads: a code that is spelled like an English word stays what it is."""

_LIMITED: Mapping[str, Callable[[str], str]] = {"summary": fit}
"""Members of a card that have a limit in every language (CDS Hooks: fewer than 140 characters)."""

_PLACE = re.compile(r"\{\w*(?::[^{}]*)?\}")
_LETTER = re.compile(r"[^\W\d_]")


def in_language(value: Tree, language: str) -> Tree:
    """The same in another language; in English the value itself.

    Args:
        value: a tree of dicts, lists, tuples and texts; not changed. What has no translation stays English.
        language: one of `LANGUAGES`.
    """
    if language == ENGLISH:
        return value
    return cast(Tree, _Speaker(catalogue(language)).tree(value))


def left_over(value: object, language: str) -> Iterator[str]:
    """The pieces of a tree that would stay as they are, because no entry of the catalogue covers them: plain texts and patterns.

    Args:
        value: as for `in_language`.
        language: another than English.
    """
    speaker = _Speaker(catalogue(language))
    speaker.tree(value)
    yield from speaker.unknown


def has_words(pattern: str) -> bool:
    """Whether a pattern has anything to translate beside its places: `{title} ({value})` has not."""
    return _LETTER.search(_PLACE.sub("", pattern)) is not None


class _Speaker:
    """Says trees in one language, and remembers what it could not say.

    Args:
        known: the catalogue of the language.
    """

    def __init__(self, known: Catalogue) -> None:
        self._known = known
        self.unknown: dict[str, None] = {}

    def tree(self, value: Any, is_ours: bool = True) -> Any:
        """Every text in a tree of JSON.

        Args:
            value: the tree.
            is_ours: we wrote all of it; where not, only the sentences in it are ours.
        """
        if isinstance(value, str):
            return self.text(value) if is_ours or isinstance(value, Sentence) else value
        if isinstance(value, dict):
            given_back = value.get("type") == "update"  # an order of the clinician's own, with perhaps a note of ours
            return {key: self._member(key, one, is_ours and not (given_back and key == "resource")) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.tree(one, is_ours) for one in value)
        return value

    def text(self, text: str) -> str:
        """A sentence as it was made; what others wrote as it is; any other text if the catalogue knows it whole."""
        if isinstance(text, Sentence):
            return self._sentence(text)
        if isinstance(text, AsWritten):
            return text
        said = self._known.texts.get(text)
        if said is None:
            if has_words(text):
                self.unknown[str(text)] = None
            return text
        return said

    def _member(self, key: str, value: Any, is_ours: bool) -> Any:
        if key in FOR_MACHINES and not isinstance(value, dict):
            return value
        said = self.tree(value, is_ours)
        return str(_LIMITED[key](said)) if key in _LIMITED and isinstance(said, str) else said

    def _sentence(self, sentence: Sentence) -> str:
        values = sentence.values
        if sentence.change is not None:
            change, arguments = sentence.change
            (text,) = values
            return change(self.text(str(text) if not isinstance(text, str) else text), *self.tree(arguments))
        if not isinstance(values, Mapping):
            return sentence.pattern.join(self._part(value) for value in values)
        pattern = self._pattern(sentence, values)
        if pattern is None:
            return str(sentence)
        return pattern.format_map({name: self._value(value) for name, value in values.items()})

    def _pattern(self, sentence: Sentence, values: Mapping[str, Any]) -> str | None:
        """The pattern of this language; None where it has none, so that no sentence is said half in each."""
        if sentence.plural:
            forms = self._known.plurals.get(sentence.pattern)
            pattern = forms and forms[self._known.form(values["number"])]
        else:
            pattern = self._known.texts.get(sentence.pattern)
        if not pattern:
            if not has_words(sentence.pattern):
                return sentence.pattern
            self.unknown[sentence.pattern] = None
        return pattern or None

    def _part(self, value: object) -> str:
        return self.text(value) if isinstance(value, str) else format(self._value(value))

    def _value(self, value: object) -> object:
        """What was filled into a pattern, as this language writes it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, date):
            value = DateInterval(value, value)
        if isinstance(value, DateInterval):
            words = day_in_words(value, self._known.language)
            return self._sentence(words) if isinstance(words, Sentence) else words
        if isinstance(value, int | float):
            return Written(value, self._known.language)
        return value
