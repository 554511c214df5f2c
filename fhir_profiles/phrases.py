"""Exact phrases: how free text is compared, and how a free-text result is read.

Text is a fallback for facts that no code names. It is compared as a whole or not at all; nothing here looks for
a word inside a sentence. The word lists are data (`terminology/language.yaml`), so that a clinician can review them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import yaml

from fhir_profiles.systems import CANONICAL

Answer = Literal["positive", "negative", "borderline"]

LONGEST_TEXT: Final = 256
"""Longer text is a narrative, not a name, and is never read (it also bounds the work)."""

MATCHING_PHRASE: Final = f"{CANONICAL}/StructureDefinition/matching-phrase"
"""Extension of a ValueSet: a text that, as a whole, stands for its concept."""
MATCHING_DRUG_NAME: Final = f"{CANONICAL}/StructureDefinition/matching-drug-name"
"""Extension of a ValueSet: a drug's name, after which a medication text may state strength, form and route."""

_LANGUAGE_FILE: Final = Path(__file__).parent / "terminology" / "language.yaml"
_ANSWER_PART: Final = re.compile(r"[^\W\d_]+|\d+(?:[.,:/]\d+)*|[<>=≤≥]+|[+\-/]+|[\s()\[\].,;:]+|.")
_WORD: Final = re.compile(r"[^\W_]+")
_ASCII: Final = range(128)
_NUMBER: Final = re.compile(r"\d+[a-z]{0,4}")


@dataclass(frozen=True, slots=True)
class _Language:
    letters: Mapping[int, str]
    signs: Mapping[int, str]
    key_of_ascii: Mapping[int, str | None]
    semantic_tags: frozenset[str]
    guard_signs: re.Pattern[str]
    guard_endings: tuple[str, ...]
    guard_words: frozenset[str]
    guard_pairs: frozenset[tuple[str, str]]
    answers: Mapping[str, Answer]
    answer_details: frozenset[str]
    drug_forms: frozenset[str]
    drug_routes: frozenset[str]


@lru_cache(maxsize=1)
def _language() -> _Language:
    table = yaml.load(_LANGUAGE_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    answers: dict[str, Answer] = {
        wording: answer for answer in ("positive", "negative", "borderline") for wording in table["answers"][answer]
    }
    signs = str.maketrans(table["signs"])
    return _Language(
        letters=str.maketrans(table["greek_letters"]),
        signs={letter: chr(letter) if chr(letter).isalnum() else " " for letter in _ASCII} | signs,
        key_of_ascii={letter: chr(letter).lower() if chr(letter).isalnum() else None for letter in _ASCII}
        | {sign: word.strip() for sign, word in signs.items()},
        semantic_tags=frozenset(table["semantic_tags"]),
        guard_signs=re.compile("|".join(map(re.escape, table["guard"]["signs"]))),
        guard_endings=tuple(table["guard"]["endings"]),
        guard_words=frozenset(table["guard"]["words"]),
        guard_pairs=frozenset((first, second) for first, second in map(str.split, table["guard"]["pairs"])),
        answers=answers,
        answer_details=frozenset(table["answer_details"]),
        drug_forms=frozenset(table["drug_text"]["forms"]),
        drug_routes=frozenset(table["drug_text"]["routes"]),
    )


def _plain(text: str) -> str:
    """Compatibility forms folded, lower case, Greek letters spelled out, accents dropped."""
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFKC", text).casefold()
    folded = unicodedata.normalize("NFKD", composed).translate(_language().letters)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def _words(text: str) -> list[str]:
    """The words of a text in its plain form; punctuation separates and says nothing, a plus is a word."""
    plain = _plain(text).replace("'s", "s").replace("’s", "s").translate(_language().signs)
    return plain.split() if plain.isascii() else _WORD.findall(plain)


def _without_semantic_tag(text: str) -> str:
    """`Dermatomyositis (disorder)` is how SNOMED CT writes `Dermatomyositis`."""
    if "(" not in text:
        return text
    head, _, tag = text.rstrip().rpartition("(")
    return head if tag.rstrip(") ").casefold() in _language().semantic_tags else text


def normalise(text: str) -> str:
    """The words of a text in one spelling, separated by single blanks; empty for what is too long to be a name.

    `Anti-TIF1γ Ab`, `anti TIF1-gamma  AB` and `ANTI-TIF1-Γ ab.` differ in spacing only.
    """
    return " ".join(_words(_without_semantic_tag(text))) if len(text) <= LONGEST_TEXT else ""


def phrase_key(text: str) -> str:
    """What two spellings of one phrase share: their normalised words, without the blanks."""
    if len(text) > LONGEST_TEXT:
        return ""
    text = _without_semantic_tag(text)
    return text.translate(_language().key_of_ascii) if text.isascii() else "".join(_words(text))


def is_doubtful(text: str) -> bool:
    """Whether a sign puts the whole text in doubt or denies it: `?dermatomyositis`, `anti-Jo-1 (-)`."""
    language = _language()
    return language.guard_signs.search(text) is not None or text.rstrip().endswith(language.guard_endings)


def is_guarded(text: str) -> bool:
    """Whether the text denies, doubts, or speaks of somebody else, so that it must never match a phrase.

    Whole-text equality already keeps `no dermatomyositis` apart from `dermatomyositis`; this is the second lock.
    """
    return len(text) > LONGEST_TEXT or is_doubtful(text) or _hold_guard(_words(text))


def _hold_guard(words: list[str]) -> bool:
    language = _language()
    return not (language.guard_words.isdisjoint(words) and language.guard_pairs.isdisjoint(pairwise(words)))


def drug_name(text: str) -> Iterator[str]:
    """Candidate drug names in a medication text, as phrase keys, the longest first.

    The grammar is strict: an optional route, the name, then nothing but strengths, forms, routes and frequencies
    (`Prednisolone 5 mg tablets`, `IV methylprednisolone 500 mg infusion`). A single word outside it ends the search,
    so `stop methotrexate`, `hydrocortisone 1% cream` and `prednisolone eye drops` name no systemic drug.
    """
    if len(text) > LONGEST_TEXT or is_doubtful(text) or _hold_guard(words := _words(text)):
        return
    language = _language()
    name = 0
    while name < len(words) and words[name] in language.drug_routes:
        name += 1
    # `intravenous immunoglobulin` is a name of its own: the route is taken off only if it is no part of one.
    for start in sorted({0, name}):
        end = len(words)
        if end > start:
            yield "".join(words[start:end])
        while end > start + 1 and _is_drug_detail(words[end - 1]):
            end -= 1
            yield "".join(words[start:end])


def _is_drug_detail(word: str) -> bool:
    language = _language()
    return word in language.drug_forms or word in language.drug_routes or _NUMBER.fullmatch(word) is not None


def parse_answer(text: str) -> Answer | None:
    """What a free-text result says, when the whole of it says one thing.

    `POSITIVE`, `Detected`, `weak positive`, `Negative (<1:10)` and `1:320 positive` are answers. A titre alone is
    not (no cut-off is invented), nor is any text with a word more than an answer, a number and a unit.
    """
    if len(text) > LONGEST_TEXT:
        return None
    language = _language()
    whole = language.answers.get("".join(text.split()).casefold())
    if whole:
        return whole
    said: list[str] = []
    ended = False
    for part in _ANSWER_PART.findall(_plain(text)):
        if not part.strip(" \t\n\r()[].,;:"):
            continue
        if part[0].isdigit() or part[0] in "<>=≤≥" or part in language.answer_details:
            ended = bool(said)
        elif ended:
            return None
        elif part != "-":
            said.append(part)
    return language.answers.get(" ".join(said))
