"""What cards claim not to be there: the wording that must never rest on an input that is unknown (SAF-08)."""

import re
from collections.abc import Iterable

from fhir_profiles.clinical_definitions import definitions
from tests.server.charts import Json


def claims_of_absence(cards: Iterable[Json], kinds: Iterable[str]) -> list[str]:
    """Tests of which the cards say that none is on record, though one of these kinds of input could show them.

    Args:
        cards: CDS Hooks cards.
        kinds: resource types.
    """
    cards = list(cards)
    said = [item["text"] for card in cards for item in card["extension"]["org.myositis-cds.explanation"].get("because", ())]
    text = " | ".join([*said, *(card["summary"] for card in cards)])
    titles = [test.title for test in definitions().investigations.values() if set(kinds) & set(test.kinds)]
    return [title for title in titles if re.search(rf"\bno {re.escape(title)} on record", text, re.IGNORECASE)]


def orders_of(cards: Iterable[Json]) -> set[str]:
    """What the cards offer to order, in words."""
    resources = [action["resource"] for card in cards for one in card.get("suggestions", ()) for action in one["actions"]]
    return {(resource.get("code") or resource["medicationCodeableConcept"])["text"] for resource in resources}
