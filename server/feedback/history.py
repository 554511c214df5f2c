"""Cards and what became of them, out of the database, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, select

from server.feedback.figures import SILENT, ShownCard, UnknownCard
from server.feedback.latest import latest
from server.feedback.shadow_figures import ShadowCall
from server.feedback.shown import FEEDBACK_ON_CARD
from server.store.tables import cards_shown, feedback, shadow_calls
from server.store.transactions import reading


@dataclass(frozen=True, slots=True)
class Period:
    """What to count.

    Args:
        since, before: seconds since 1970; None for no limit.
        client: name of the client; None for all.
    """

    since: int | None = None
    before: int | None = None
    client: str | None = None

    def covers(self, client: Any, moment: Any) -> list[Any]:
        """Conditions on two columns: the client's name, and seconds since 1970."""
        conditions = (
            self.client is not None and client == self.client,
            self.since is not None and moment >= self.since,
            self.before is not None and moment < self.before,
        )
        return [condition for condition in conditions if condition is not False]


def shown_cards(database: Engine, period: Period, *, is_shadow: bool = False) -> Iterator[ShownCard]:
    """The cards that were shown in a period, whenever feedback on them came.

    Args:
        database: the store.
        period: what to count.
        is_shadow: those that would have been shown, had their client not been in shadow mode, instead.
    """
    rows = (
        select(cards_shown, feedback.c.outcome, feedback.c.outcome_at, feedback.c.reason_code)
        .outerjoin(feedback, FEEDBACK_ON_CARD)
        .where(cards_shown.c.is_shadow == is_shadow, *period.covers(cards_shown.c.client, cards_shown.c.shown_at))
        .order_by(cards_shown.c.client, cards_shown.c.card)
    )
    with reading(database) as connection:
        found = connection.execution_options(yield_per=1000).execute(rows)
        for _, of_card in groupby(found, key=lambda row: (row.client, row.card)):
            row = latest(of_card)
            yield ShownCard(
                recommendations=tuple(row.recommendations),
                knowledge_version=row.knowledge_version,
                topic=row.topic,
                indicator=row.indicator,
                service=row.service,
                patient=(row.client, row.patient),
                outcome=row.outcome or SILENT,
                reason=row.reason_code if row.outcome == "overridden" else None,
            )


def shadow_calls_of(database: Engine, period: Period) -> Iterator[ShadowCall]:
    """The calls of clients in shadow mode, in a period."""
    rows = select(shadow_calls).where(*period.covers(shadow_calls.c.client, shadow_calls.c.called_at))
    with reading(database) as connection:
        for row in connection.execution_options(yield_per=1000).execute(rows):
            yield ShadowCall(row.service, (row.client, row.patient), row.cards, row.left_out)


def unknown_cards(database: Engine, period: Period) -> Iterator[UnknownCard]:
    """Cards that we got feedback on in a period and do not know."""
    rows = (
        select(feedback)
        .outerjoin(cards_shown, FEEDBACK_ON_CARD)
        .where(cards_shown.c.card.is_(None), *period.covers(feedback.c.client, feedback.c.received_at))
        .order_by(feedback.c.client, feedback.c.service, feedback.c.card)
    )
    with reading(database) as connection:
        found = connection.execution_options(yield_per=1000).execute(rows)
        for _, of_card in groupby(found, key=lambda row: (row.client, row.service, row.card)):
            row = latest(of_card)
            yield UnknownCard(row.service, row.outcome)
