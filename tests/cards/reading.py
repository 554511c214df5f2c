"""Short words for reading cards and recommendations in tests."""

from typing import Any

from cards.knowledge import knowledge
from cards.recommendation import Option, Recommendation
from cards.wording import options_of
from fhir_profiles.findings import Answer
from tests.patient import Json, Patient

EXPLANATION = "org.myositis-cds.explanation"


def topic_of(card: Json) -> str:
    """The topic code of a card."""
    return str(card["source"]["topic"]["code"])


def topics(cards: list[Json]) -> list[str]:
    """Topic codes in the order of the cards."""
    return [topic_of(card) for card in cards]


def card_about(topic: str, cards: list[Json]) -> Json | None:
    """The card of a topic, or None."""
    return next((card for card in cards if topic_of(card) == topic), None)


def resources(cards: list[Json]) -> list[Json]:
    """Every resource that the cards suggest to create."""
    return [action["resource"] for action in actions(cards) if action["type"] == "create"]


def actions(cards: list[Json], kind: str | None = None) -> list[Json]:
    """Every action that the cards suggest, or those of one type."""
    found = [action for card in cards for s in card.get("suggestions", ()) for action in s["actions"]]
    return [action for action in found if kind in (None, action["type"])]


def order_key(resource: Json) -> str:
    """The key in `orders.yaml` of a suggested resource."""
    text = (resource.get("code") or resource["medicationCodeableConcept"])["text"]
    return next(key for key, entry in knowledge().orders.items() if entry["title"] == text)


def orders(cards: list[Json], topic: str | None = None) -> set[str]:
    """Keys of everything that the cards, or the card of one topic, offer to order."""
    return {order_key(one) for one in resources([card for card in cards if topic in (None, topic_of(card))])}


def drugs(cards: list[Json]) -> set[str]:
    """Keys of the treatments of myositis that the cards offer to order; what goes with them (folic acid) is in `orders`."""
    treatments = {entry.order for entry in knowledge().treatments.values() if entry.course}
    return orders(cards) & treatments


def held(patient: Patient, drafting: tuple[str, ...] | None = None) -> dict[str, Recommendation]:
    """Recommendations that hold for certain, by id."""
    return {r.id: r for r in patient.recommendations(drafting) if r.holds is Answer.YES}


def undecided(patient: Patient) -> dict[str, Recommendation]:
    """Recommendations that would hold were a datum known, by id."""
    return {r.id: r for r in patient.recommendations() if r.holds is Answer.UNKNOWN}


def options(patient: Patient) -> dict[str, Option]:
    """Treatment options, standing or set aside, in their order."""
    return {option.treatment: option for option in options_of(patient.recommendations())}


def offered(patient: Patient) -> list[str]:
    """Treatments that stand, in their order."""
    return [treatment for treatment, option in options(patient).items() if option.not_offered is None]


def explanation(card: Json) -> dict[str, Any]:
    """The explanation extension of a card."""
    extension: dict[str, Any] = card["extension"][EXPLANATION]
    return extension
