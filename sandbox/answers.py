"""What services answered, as the desk keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.exchange import has_objects
from sandbox.fhir_parts import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service answered to one hook.

    Args:
        service: title of the service, and its id.
        service_id: as discovery has it.
        hook: `patient-view`, `order-select` or `order-sign`.
        request, response: the JSON of both, the access token shortened; the response is None where there was trouble.
        headers: that were sent, the token shortened.
        milliseconds: between the two.
        server_timing: phases and milliseconds, from the header of that name.
        prefetch: state of each key: sent, empty, left out and why.
        trouble: why there is no answer, in a sentence; empty where there is one.
        decided: by uuid of card, what the clinician did: `accepted`, or the code of the reason of the override; `overridden`
            where none was given.
        url: the address that was called.
        dialect: in which this EHR spoke.
        taken: uuids of the suggestions that were applied.
        feedback: by uuid of card, what became of the feedback: `sent`, or why it was not, in a sentence.
    """

    service: str
    service_id: str
    hook: str
    request: Json
    response: Json | None
    headers: Mapping[str, str] = field(default_factory=dict)
    milliseconds: float = 0.0
    server_timing: Mapping[str, float] = field(default_factory=dict)
    prefetch: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    decided: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    dialect: str = "standard"
    taken: frozenset[str] = frozenset()
    feedback: Mapping[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> Sequence[Json]:
        """The cards, in their order. One without a `uuid` (CDS Hooks 1.0), or with a suggestion without, is given one for the
        screen."""
        sent = self.response["cards"] if self.response else ()
        return [_named(card, f"{self.service_id}-{number}") for number, card in enumerate(sent, 1)]

    def card(self, uuid: str) -> Json | None:
        """A card by its uuid."""
        return next((card for card in self.cards if card["uuid"] == uuid), None)

    def takes_feedback_on(self, uuid: str) -> bool:
        """Whether the service gave this card a uuid itself: only then can it be told what became of it (conformance C-3)."""
        return any(card.get("uuid") == uuid for card in (self.response or {"cards": ()})["cards"])


def _named(card: Json, name: str) -> Json:
    named: Json = {"uuid": name} | card
    if has_objects(card, "suggestions"):
        named["suggestions"] = [{"uuid": f"{name}-{number}"} | one for number, one in enumerate(card["suggestions"], 1)]
    return named
