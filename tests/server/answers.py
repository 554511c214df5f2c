"""The rules that every answer keeps, whatever was asked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

MARKUP = re.compile(rb"<!doctype|<html|Traceback|File \"", re.IGNORECASE)


def check_answer(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert what holds for every answer of `/cds-services` and `/assess`."""
    assert headers["Cache-Control"] == "no-store"
    assert not MARKUP.search(body)
    answer = orjson.loads(body)
    if status == 200:
        assert headers["Content-Type"] == "application/json"
        if set(answer) == {"cards"}:
            check_cards(answer["cards"])
    else:
        assert headers["Content-Type"] == "application/fhir+json"
        check_outcome(answer)


def check_outcome(answer: Any) -> None:
    """Assert that it is an OperationOutcome with exactly one issue, in words and with a number."""
    assert set(answer) == {"resourceType", "issue"}
    assert answer["resourceType"] == "OperationOutcome"
    (issue,) = answer["issue"]
    assert set(issue) == {"severity", "code", "diagnostics"}
    assert re.match(r"MYO-\d{4}: [A-Za-z`].+\.$", issue["diagnostics"])


def check_cards(cards: list[dict[str, Any]]) -> None:
    """Assert what CDS Hooks 2.0.1 asks of cards, as far as it can be told without knowing the patient."""
    assert list(empty_members(cards)) in ([], [""])
    for card in cards:
        assert 0 < len(card["summary"]) <= 139
        assert card["indicator"] in ("info", "warning", "critical")
        assert card["source"]["label"]
        assert ("selectionBehavior" in card) == ("suggestions" in card)
        assert all(len(suggestion["actions"]) == 1 for suggestion in card.get("suggestions", ()))
    uuids = [card["uuid"] for card in cards]
    assert len(set(uuids)) == len(uuids)


def empty_members(value: Any, place: str = "") -> Iterator[str]:
    """Where a value is null, an empty string, an empty list or an empty object."""
    if value is None or value in ("", [], {}):
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_members(member, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from empty_members(item, f"{place}[{index}]")


def diagnostics(body: Any) -> str:
    """What an OperationOutcome says."""
    text: str = body["issue"][0]["diagnostics"]
    return text
