"""The cards of an answer, as far as they can be relied on (CDS Hooks 2.0.1, "Card Attributes")."""

from dataclasses import dataclass

from sandbox.fhir_parts import Json


@dataclass(frozen=True, slots=True)
class Source:
    """Where the advice is from.

    Args:
        label: in words.
        url: of the web; else empty.
        topic, topic_code: what the card is about, in words and as a code; empty where it does not say.
    """

    label: str = ""
    url: str = ""
    topic: str = ""
    topic_code: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a suggestion does.

    Args:
        type: `create`, `update` or `delete`.
        description: in words.
        target: what would be deleted; empty for the others.
        sent: the action as it came.
    """

    type: str
    description: str
    target: str
    sent: Json


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to do, in one click.

    Args:
        uuid: as it was sent; empty where it has none.
        label: in words.
        is_recommended: as the service says.
        actions: all of which are done, or none.
    """

    uuid: str
    label: str
    is_recommended: bool = False
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A page or an app.

    Args:
        label: in words.
        url: of the web; else empty.
        type: `absolute` or `smart`.
        app_context: for the app; None where there is none.
    """

    label: str
    url: str
    type: str
    app_context: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card may be overridden.

    Args:
        code, display: what is kept, and what is read.
        sent: FHIR Coding, as it came.
    """

    code: str
    display: str
    sent: Json


@dataclass(frozen=True, slots=True)
class Card:
    """One card. Of one that is not as the specification says, only `uuid` and `summary` are kept, and why.

    Args:
        uuid: as it was sent; empty where it has none, as in CDS Hooks 1.0.
        summary, indicator, detail, source, suggestions, links, reasons: as the specification has them.
        behaviour: `selectionBehavior`.
        fault: why it cannot be used, after "This card"; empty if it can.
    """

    uuid: str = ""
    summary: str = ""
    indicator: str = ""
    detail: str = ""
    source: Source = Source()
    suggestions: tuple[Suggestion, ...] = ()
    behaviour: str = ""
    links: tuple[Link, ...] = ()
    reasons: tuple[Reason, ...] = ()
    fault: str = ""

    @property
    def may_be_overridden(self) -> bool:
        """Whether there is anything to dismiss: a card that can be used, or that the service can be told about."""
        return not self.fault or bool(self.uuid)
