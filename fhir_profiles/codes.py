"""The terminology index: which clinical concepts a code, or failing that a text, stands for.

Built once from the packaged ValueSets and a site's own ValueSets and ConceptMaps; asked once per coding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from fhir_profiles.phrases import LONGEST_TEXT, drug_name, is_doubtful, is_guarded, phrase_key
from fhir_profiles.systems import HIERARCHICAL_SYSTEMS, ICD_10, ICD_10_CM, normalise_code, normalise_system
from fhir_profiles.valueset_files import Coding, Index, Key, TerminologyError

__all__ = ["Coding", "Concepts", "Terminology", "TerminologyError"]

_LONGEST_NAME: Final = 256
_DEEPEST_WHO_CODE: Final = 4
_REMEMBERED_CODES: Final = 16_384

Concepts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terminology:
    """Immutable index of codes and phrases to concepts. Make one with `Terminology.load`."""

    _lookup: Callable[[str, str], Concepts]
    _phrases: Mapping[str, Concepts]
    _denials: Mapping[str, Concepts]
    _drug_names: Mapping[str, Concepts]
    _titles: Mapping[str, str]
    _codings: Mapping[str, tuple[Coding, ...]]

    @classmethod
    def load(cls, *extra_folders: Path) -> Terminology:
        """Read the packaged ValueSets, then each site folder in turn.

        A site ValueSet adds its codes and phrases to the packaged concept with the same `id`; a site ConceptMap
        makes a local code stand for the concepts of its targets. Files that are not `.json` are left alone.

        Raises TerminologyError for a folder that does not exist and for a file that cannot be used.
        """
        index = Index.of_the_package()
        for folder in extra_folders:
            index.add_site_folder(folder)
        exact = {key: _ordered(concepts) for key, concepts in index.exact.items()}
        below = {key: _ordered(concepts) for key, concepts in index.below.items()}
        return cls(
            _lookup=lru_cache(maxsize=_REMEMBERED_CODES)(partial(_find, exact, below)),
            _phrases={key: _ordered(concepts) for key, concepts in index.phrases.items()},
            _denials={key: _ordered(concepts) for key, concepts in index.denials.items()},
            _drug_names={key: _ordered(concepts) for key, concepts in index.drug_names.items()},
            _titles=index.titles,
            _codings={concept: tuple(codings) for concept, codings in index.codings.items()},
        )

    @property
    def concepts(self) -> frozenset[str]:
        """Every concept that the service knows."""
        return frozenset(self._titles)

    def title(self, concept: str) -> str:
        """The concept's name for people. Raises KeyError for a concept that does not exist."""
        return self._titles[concept]

    def codings(self, concept: str) -> tuple[Coding, ...]:
        """The codes listed for a concept, packaged before site. Raises KeyError for a concept that does not exist."""
        return self._codings[concept]

    def concepts_of(self, system: str, code: str) -> Concepts:
        """The concepts of a code, in alphabetical order; `system` in any spelling that `normalise_system` knows."""
        if len(code) > _LONGEST_NAME or len(system) > _LONGEST_NAME:
            return ()
        return self._lookup(system, code)

    def has(self, concept: str, system: str, code: str) -> bool:
        """Whether the code stands for the concept."""
        return concept in self.concepts_of(system, code)

    def concepts_of_text(self, text: str) -> Concepts:
        """The concepts of which this whole text is a listed phrase; none for denial, doubt or another person."""
        key = phrase_key(text)
        concepts = self._phrases.get(key)
        if concepts and not is_guarded(text):
            return concepts
        concepts = self._denials.get(key)
        return concepts if concepts and not is_doubtful(text) else ()

    def concepts_of_drug_text(self, text: str) -> Concepts:
        """The concepts of the drug that a medication text names (see `phrases.drug_name` for the grammar)."""
        for name in drug_name(text):
            concepts = self._drug_names.get(name)
            if concepts:
                return concepts
        return ()

    def concepts_of_codeable(self, codeable: object) -> tuple[Concepts, bool]:
        """The concepts of a raw CodeableConcept, and whether only its text (or a display) gave them.

        Every coding counts; text is asked only if no coding gave a concept. Malformed parts are passed over.
        """
        return self._read_codeable(codeable, self.concepts_of_text)

    def concepts_of_medication(self, codeable: object) -> tuple[Concepts, bool]:
        """As `concepts_of_codeable`, for a medication: its text is read by the grammar for drugs."""
        return self._read_codeable(codeable, self.concepts_of_drug_text)

    def _read_codeable(self, codeable: object, read_text: Callable[[str], Concepts]) -> tuple[Concepts, bool]:
        if not isinstance(codeable, dict):
            return (), False
        codings = codeable.get("coding")
        if not isinstance(codings, list):
            codings = []
        found: Concepts = ()
        for coding in codings:
            if not isinstance(coding, dict):
                continue
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str) and (concepts := self.concepts_of(system, code)):
                found = tuple(sorted({*found, *concepts})) if found else concepts
        if found:
            return found, False
        # What it says in words: its text, then the displays.
        for text in (codeable.get("text"), *[coding.get("display") for coding in codings if isinstance(coding, dict)]):
            if isinstance(text, str) and 0 < len(text) <= LONGEST_TEXT and (found := read_text(text)):
                return found, True
        return (), False


def _find(exact: Mapping[Key, Concepts], below: Mapping[Key, Concepts], system: str, code: str) -> Concepts:
    system = normalise_system(system)
    code = normalise_code(system, code)
    if system not in HIERARCHICAL_SYSTEMS:
        return exact.get((system, code), ())
    if system == ICD_10 and len(code) > _DEEPEST_WHO_CODE and (system, code) not in exact:
        # WHO ICD-10 ends at four characters. A longer code under its URI is mostly ICD-10-CM sent under the wrong
        # name (G72.41 inclusion body myositis); where ICD-10-CM does not know it, it is a national subdivision.
        as_cm = _find(exact, below, ICD_10_CM, code)
        if as_cm:
            return as_cm
    found = set(exact.get((system, code), ()))
    for length in range(1, len(code) + 1):
        found.update(below.get((system, code[:length]), ()))
    return tuple(sorted(found))


def _ordered(concepts: set[str]) -> Concepts:
    return tuple(sorted(concepts))
