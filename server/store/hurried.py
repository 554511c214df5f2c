"""A PostgreSQL connection that does not wait for ever (DB-02): the server's own limit helps only while the server is there."""

from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

from server.store.deadline import within

ANSWER_SECONDS = 2
"""Longer than a statement may take there, so that a slow server can still say so."""


class HurriedConnection(Connection[TupleRow]):
    """Gives up, and closes, when nothing comes back; the pool then opens another one."""

    def wait(self, gen: PQGen[RV], *args: Any, **kwargs: Any) -> RV:
        """Wait for the end of one exchange with the server.

        Args:
            gen: the exchange, in steps; psycopg goes on with it several times a second, whether something came or not.
            args: as psycopg has them.
            kwargs: as psycopg has them.

        Raises:
            OperationalError: the server said nothing in time.
        """
        return super().wait(self._in_time(gen), *args, **kwargs)

    def _in_time(self, exchange: PQGen[RV]) -> PQGen[RV]:
        deadline = within(ANSWER_SECONDS)
        try:
            wanted = next(exchange) if monotonic() <= deadline else None  # what was sent may be done, whoever waits for it
            while wanted is not None and monotonic() <= deadline:
                ready = yield wanted
                wanted = exchange.send(ready)  # before the next look at the clock: what has come by now is taken
        except StopIteration as end:
            result: RV = end.value
            return result
        self.close()  # though something came: byte by byte an answer takes for ever
        raise OperationalError("the server does not answer")
