"""Which texts of our YAML files people read: by file, the members whose values are words and not codes, keys or citations."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhir_profiles.yaml_files import read_yaml

ROOT = Path(__file__).parent.parent.parent

READ_BY_PEOPLE: Mapping[str, frozenset[str]] = {
    "cards/guidelines/*.yaml": frozenset({"says", "headline", "stated", "title", "text", "remark", "with", "read_in"}),
    "cards/drug_safety/*.yaml": frozenset({"says", "says_when_unknown", "instead", "note_on_draft"}),
    "cards/contradictions.yaml": frozenset({"title", "says", "note", "outside"}),
    "cards/orders.yaml": frozenset({"title", "label", "note"}),
    "cards/topics.yaml": frozenset({"display"}),
    "cards/treatments.yaml": frozenset({"title"}),
    "cards/sources.yaml": frozenset({"short", "citation", "evidence", "specialty"}),
    "cards/override_reasons.yaml": frozenset({"display"}),
    "cards/source_attributes.yaml": frozenset({"name", "value", "features"}),
    "fhir_profiles/definitions/agents.yaml": frozenset({"title"}),
    "fhir_profiles/definitions/antibodies.yaml": frozenset({"title"}),
    "fhir_profiles/definitions/classification.yaml": frozenset({"title", "statement", "notes", "caveats", "subgroups"}),
    "fhir_profiles/definitions/features.yaml": frozenset({"title", "question"}),
    "fhir_profiles/definitions/improvement.yaml": frozenset({"title", "limits", "basis", "extension"}),
    "fhir_profiles/definitions/investigations.yaml": frozenset({"title"}),
    "fhir_profiles/definitions/phenotypes.yaml": frozenset({"titles"}),
    "fhir_profiles/hypotheses.yaml": frozenset({"title", "groups"}),
    "server/patient_page/plain_language.yaml": frozenset({"title", "means", "what", "why", "ask"}),
}
"""Every string under one of these members counts, however deep. Conditions (`when`) hold names only and are not walked."""

_ENDING = " on record"
"""A finding that is titled "blood count on record" is asked for without that: "blood count: nothing on record"."""

_DECLINED = {"investigations.yaml": ("declined_by", "shown_by"), "agents.yaml": ("drugs", "procedures")}
"""What a patient may decline; a refusal bears the title of the ValueSet."""

_CLASSIFICATION = "fhir_profiles/definitions/classification.yaml"
_FEATURES = "fhir_profiles/definitions/features.yaml"
_CITED = ("short", "citation")
_YEAR = re.compile(r"[0-9]{4}")


def knowledge_texts(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Every text for people in the knowledge, with the file that it stands in.

    Args:
        root: of the repository.
    """
    yield from _written(root)
    yield from _made_of_them(root)


def _written(root: Path) -> Iterator[tuple[str, str]]:
    for pattern, members in READ_BY_PEOPLE.items():
        for path in sorted(root.glob(pattern)):
            for text in _texts(read_yaml(path), members):
                yield text, path.relative_to(root).as_posix()


def _made_of_them(root: Path) -> Iterator[tuple[str, str]]:
    """What the program makes of names in the definitions without a sentence of its own."""
    definitions = root / "fhir_profiles" / "definitions"
    yield from (
        (text.removesuffix(_ENDING), file) for text, file in _written(root) if file == _FEATURES and text.endswith(_ENDING)
    )
    explanations = read_yaml(definitions / "classification.yaml")["other_explanations"]
    yield from ((concept.replace("_", " "), _CLASSIFICATION) for concept in explanations)
    for table, members in _DECLINED.items():
        for concept in _names(read_yaml(definitions / table), members):
            path = root / "fhir_profiles" / "valuesets" / f"{concept.replace('_', '-')}.json"
            yield json.loads(path.read_text("utf-8"))["title"], path.relative_to(root).as_posix()


def _names(table: Mapping[str, Any], members: Iterable[str]) -> Iterator[str]:
    return (name for entry in table.values() for member in members for name in _strings(entry.get(member, ())))


def _texts(node: Any, members: frozenset[str]) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _texts(one, members)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in members:
                yield from (text for text in _strings(value) if not _is_citation(key, text))
            elif key != "when":
                yield from _texts(value, members)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(one)


def _is_citation(key: str, text: str) -> bool:
    """A source by author and year is written alike everywhere; one that is described in words (`product labels`) is not."""
    return key in _CITED and _YEAR.search(text) is not None
