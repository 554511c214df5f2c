"""What lies on the desk for each open chart: drafts, and the last answers of services."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import RLock

from sandbox.answers import Answer, Decision
from sandbox.cards import Card
from sandbox.errors import DeskError
from sandbox.fhir_parts import Json
from sandbox.suggestions import Pad

ORDER_HOOKS = ("order-select", "order-sign")
GONE = "This card is not on the screen any more."


@dataclass(frozen=True, slots=True)
class Asked:
    """What services are asked about drafts, at one moment.

    Args:
        hook: that is fired.
        number: of the event on this chart; a later one has a higher number.
        pad: the drafts that are sent.
    """

    hook: str
    number: int
    pad: Pad

    @property
    def fingerprint(self) -> str:
        """Of the drafts."""
        return fingerprint(self.pad.values())


def fingerprint(drafts: Iterable[Json]) -> str:
    """The same for the same drafts, and for no others."""
    return sha256(json.dumps(list(drafts), sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class OpenChart:
    """One open chart. Whoever changes it holds the lock, and never waits for a service while holding it.

    Args:
        pad: drafts by id.
        answers: the last answers.
        reviewed: fingerprint of the drafts that were reviewed last; empty where something was fired since.
        fired: how many events there were.
        last: number of the last event of each hook.
        lock: of this chart.
    """

    pad: Pad = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    reviewed: str = ""
    fired: int = 0
    last: dict[str, int] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def draft(self, draft_id: str) -> Json:
        """A draft by its id.

        Raises:
            DeskError: it is not on the pad.
        """
        if draft_id not in self.pad:
            raise DeskError("This draft is not on the order pad any more.")
        return self.pad[draft_id]

    def put(self, draft: Json) -> None:
        """A new draft, or another version of one."""
        self.pad = {**self.pad, draft["id"]: draft}

    def take_off(self, draft_id: str) -> None:
        """Take a draft off the pad; for errors see `draft`."""
        self.draft(draft_id)
        self.pad = {name: draft for name, draft in self.pad.items() if name != draft_id}

    def require_drafts(self) -> None:
        """Raises `DeskError` where there is no draft."""
        if not self.pad:
            raise DeskError("There is no draft on the order pad.")

    def ask(self, hook: str) -> Asked:
        """Begin an event: from now on, answers to an earlier one of the same kind come too late."""
        self.fired += 1
        self.last |= dict.fromkeys(_replaced_by(hook), self.fired)
        self.reviewed = "" if hook in ORDER_HOOKS else self.reviewed
        return Asked(hook, self.fired, self.pad)

    def receive(self, asked: Asked, answers: Iterable[Answer]) -> bool:
        """Answers take the place of earlier ones to the same hook, and of those to another moment of ordering (C-50).

        Returns:
            Whether they came in time; those that are about an earlier state than others that were asked for since are dropped.
        """
        if self.last[asked.hook] != asked.number:
            return False
        stale = _replaced_by(asked.hook)
        self.answers = (*(one for one in self.answers if one.hook not in stale), *answers)
        self.reviewed = asked.fingerprint if asked.hook == "order-sign" else self.reviewed
        return True

    def find(self, answer_id: str, card: int) -> tuple[Answer, Card]:
        """An answer, and the card at a place in it, from 0.

        Raises:
            DeskError: it is not on the screen.
        """
        answer = self.answer(answer_id)
        if not 0 <= card < len(answer.cards):
            raise DeskError(GONE)
        return answer, answer.cards[card]

    def answer(self, answer_id: str) -> Answer:
        """An answer by our own id; for errors see `find`."""
        for answer in self.answers:
            if answer.id == answer_id:
                return answer
        raise DeskError(GONE)

    def undecided(self, answer_id: str, card: int) -> tuple[Answer, Card]:
        """A card that was not overridden; for errors see `find`.

        Raises:
            DeskError: it was overridden.
        """
        answer, found = self.find(answer_id, card)
        if card in answer.decisions and answer.decisions[card].outcome == "overridden":
            raise DeskError("This card was dismissed already.")
        return answer, found

    def note(self, answer_id: str, card: int, change: Callable[[Decision | None], Decision]) -> None:
        """What was decided about a card, if its answer is still on the screen."""
        self.answers = tuple(_noted(one, card, change) if one.id == answer_id else one for one in self.answers)


def _noted(answer: Answer, card: int, change: Callable[[Decision | None], Decision]) -> Answer:
    return replace(answer, decisions={**answer.decisions, card: change(answer.decisions.get(card))})


def _replaced_by(hook: str) -> Sequence[str]:
    return ORDER_HOOKS if hook in ORDER_HOOKS else (hook,)
