"""What lies on the desk for each open chart: drafts, and the last answers of services."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import RLock

from sandbox.answers import Answer
from sandbox.card_checks import fault_of
from sandbox.errors import DeskError
from sandbox.fhir_parts import Json
from sandbox.suggestions import Pad

ORDER_HOOKS = ("order-select", "order-sign")


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

    def find(self, card: str) -> tuple[Answer, Json]:
        """A card, and the answer that it came with; the newest where the same card came twice.

        Raises:
            DeskError: it is not on the screen.
        """
        for answer in reversed(self.answers):
            found = answer.card(card)
            if found is not None:
                return answer, found
        raise DeskError("This card is not on the screen any more.")

    def undecided(self, card: str) -> tuple[Answer, Json]:
        """A card that was not overridden; for errors see `find`.

        Raises:
            DeskError: it was overridden, or is not as the specification says.
        """
        answer, found = self.find(card)
        if fault := fault_of(found):
            raise DeskError(f"This card {fault}, so it is shown only.")
        if answer.decided.get(card, "accepted") != "accepted":
            raise DeskError("This card was dismissed already.")
        return answer, found

    def note(self, answer: Answer, change: Callable[[Answer], Answer]) -> None:
        """Another version of an answer, if it is still on the screen."""
        is_same = _same(answer)
        self.answers = tuple(change(one) if is_same(one) else one for one in self.answers)


def _replaced_by(hook: str) -> Sequence[str]:
    return ORDER_HOOKS if hook in ORDER_HOOKS else (hook,)


def _same(answer: Answer) -> Callable[[Answer], bool]:
    return lambda other: (other.url, other.request.get("hookInstance")) == (answer.url, answer.request.get("hookInstance"))


def decided(card: str, outcome: str, suggestions: Sequence[str] = ()) -> Callable[[Answer], Answer]:
    """A change of an answer: something was decided about a card."""
    return lambda answer: replace(answer, decided={**answer.decided, card: outcome}, taken=answer.taken.union(suggestions))


def told(card: str, result: str) -> Callable[[Answer], Answer]:
    """A change of an answer: what became of the feedback on a card."""
    return lambda answer: replace(answer, feedback={**answer.feedback, card: result})
