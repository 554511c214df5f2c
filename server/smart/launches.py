"""Launches in the database: begun, open, ended (A-18, A-20; SM-02, SM-07, SM-11, SM-13).

A launch is found by its id, which is in every path, and opened by its cookie, of which only a hash is kept.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from server.smart.sealing import Sealer, UnsealError
from server.store.deleting import delete_some
from server.store.idle_launches import IDLE_SECONDS, empty_idle
from server.store.tables import smart_launches
from server.store.transactions import reading, transaction

ASKED_SECONDS = 600
"""From the launch to the callback."""
ABSOLUTE_SECONDS = 8 * 3600
CLAIM_SECONDS = 20
"""So long one process may take to refresh, before another one tries; much longer than the token endpoint is waited for."""

GRANT = "grant"
"""The member of what an open launch holds."""

_SWEPT = 20
_ID_BYTES = 16
_COOKIE_BYTES = 32

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch.

    Args:
        id: ours.
        client: name of the registered EHR.
        is_standalone: whether it was begun without a chart.
        holds: what was encrypted: what was asked for, and once it is open what was granted; empty once it has ended.
        sealed: the same as it is in the database.
        refreshing_until: so long a process alone may renew its tokens, seconds since 1970.
    """

    id: str
    client: str
    is_standalone: bool
    holds: Mapping[str, Any] = field(repr=False)
    sealed: str = field(repr=False)
    refreshing_until: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it shows its patient: it does not yet before the callback, and not any more once it has ended."""
        return GRANT in self.holds

    @property
    def has_ended(self) -> bool:
        """Whether it will never show a patient any more."""
        return not self.holds


@dataclass(frozen=True, slots=True, eq=False)
class Launches:
    """All launches of the service.

    Args:
        database: the store.
        sealer: encrypts what they hold.
        clock: seconds since 1970.
    """

    database: Engine
    sealer: Sealer
    clock: Callable[[], float] = time.time

    def begin(self, client: str, state: str, holds: Mapping[str, Any], *, is_standalone: bool) -> tuple[str, str]:
        """Write down a launch that was begun; on the way, forget some that are over.

        Args:
            client: name of the registered EHR.
            state: comes back from the browser, once.
            holds: what the callback needs.
            is_standalone: whether it was begun without a chart.

        Returns:
            Its id, and the value of its cookie.
        """
        launch, cookie, now = token_urlsafe(_ID_BYTES), token_urlsafe(_COOKIE_BYTES), int(self.clock())
        row = {
            "id": launch,
            "client": client,
            "browser": hashed(cookie),
            "state": hashed(state),
            "is_standalone": is_standalone,
            "sealed": self.sealer.seal(launch, holds),
            "used_at": now,
            "ends_at": now + ASKED_SECONDS,
            "refreshing_until": 0,
        }
        with transaction(self.database) as connection:
            connection.execute(insert(smart_launches).values(row))
            delete_some(connection, smart_launches, smart_launches.c.ends_at <= now, _SWEPT)
            empty_idle(connection, now, _SWEPT)
        return launch, cookie

    def answered(self, state: str, cookie_of: Callable[[str], str]) -> Launch | None:
        """The launch that a state belongs to, and that the same browser began; from then on the state is used.

        Args:
            state: as the browser brought it.
            cookie_of: the value of the cookie of a launch.
        """
        table, now = smart_launches, int(self.clock())
        with transaction(self.database) as connection:
            row = connection.execute(select(table).where(table.c.state == hashed(state), table.c.ends_at > now)).one_or_none()
            if row is None or not _is_browser(row, cookie_of(row.id)):
                return None
            used = update(table).where(table.c.id == row.id, table.c.state == row.state).values(state=None)
            if connection.execute(used).rowcount != 1:
                return None  # a second callback was quicker
        return self._launch(row)

    def open(self, launch: Launch, holds: Mapping[str, Any]) -> str:
        """Let a launch show its patient from now on; the value of its new cookie, the old one being worth nothing (SM-02).

        Args:
            launch: that was answered.
            holds: what was granted, under `GRANT`, and what the page needs besides.
        """
        cookie, now = token_urlsafe(_COOKIE_BYTES), int(self.clock())
        self._write(
            launch,
            browser=hashed(cookie),
            sealed=self.sealer.seal(launch.id, holds),
            used_at=now,
            ends_at=now + ABSOLUTE_SECONDS,
        )
        return cookie

    def find(self, launch_id: str, cookie: str) -> Launch | None:
        """The launch of a path, if this browser opened it; it may have ended meanwhile.

        Args:
            launch_id: as in the path.
            cookie: the value of its cookie.
        """
        for row in self._rows({launch_id: cookie}):
            launch = self._launch(row)
            if self._is_over(row) and row.sealed:
                self.end(launch)
            return launch
        return None

    def find_all(self, cookies: Mapping[str, str]) -> dict[str, Launch]:
        """Those launches that this browser opened, by id; they may have ended meanwhile.

        Args:
            cookies: value of each launch's cookie, by the id of the launch.
        """
        return {row.id: self._launch(row) for row in self._rows(cookies)}

    def used(self, launch: Launch) -> None:
        """The launch is in use, so it is not idle."""
        self._write(launch, used_at=int(self.clock()))

    def end(self, launch: Launch) -> None:
        """Forget what a launch holds; only that it has ended is kept, until its time is over."""
        self._write(launch, sealed="", state=None)

    def claim_refresh(self, launch: Launch) -> bool:
        """Whether this process alone may now refresh the tokens that it read (SM-11): the row decides among all processes.

        Args:
            launch: as it was read.
        """
        table, now = smart_launches, int(self.clock())
        free = (table.c.id == launch.id, table.c.sealed == launch.sealed, table.c.refreshing_until <= now)
        with transaction(self.database) as connection:
            return connection.execute(update(table).where(*free).values(refreshing_until=now + CLAIM_SECONDS)).rowcount == 1

    def refreshed(self, launch: Launch, holds: Mapping[str, Any] | None) -> bool:
        """Keep the new tokens, and let others refresh again; False if the launch was ended or refreshed by another meanwhile.

        Args:
            launch: that was claimed.
            holds: with the new tokens; None where there are none.
        """
        table = smart_launches
        values: Json = {"refreshing_until": 0}
        if holds is not None:
            values["sealed"] = self.sealer.seal(launch.id, holds)
        with transaction(self.database) as connection:
            same = update(table).where(table.c.id == launch.id, table.c.sealed == launch.sealed)
            return connection.execute(same.values(values)).rowcount == 1

    def again(self, launch: Launch) -> Launch | None:
        """The launch as it is now; None if it is gone."""
        with reading(self.database) as connection:
            row = connection.execute(select(smart_launches).where(smart_launches.c.id == launch.id)).one_or_none()
        return None if row is None else self._launch(row)

    def _rows(self, cookies: Mapping[str, str]) -> list["Row[Any]"]:
        if not cookies:
            return []
        with reading(self.database) as connection:
            rows = connection.execute(select(smart_launches).where(smart_launches.c.id.in_(cookies))).all()
        return [row for row in rows if _is_browser(row, cookies[row.id])]

    def _is_over(self, row: "Row[Any]") -> bool:
        now = int(self.clock())
        return bool(row.ends_at <= now or row.used_at <= now - IDLE_SECONDS)

    def _launch(self, row: "Row[Any]") -> Launch:
        try:
            holds = {} if self._is_over(row) or not row.sealed else self.sealer.open(row.id, row.sealed)
        except UnsealError:
            holds = {}  # the key is gone, and with it everything that could be opened
        return Launch(row.id, row.client, row.is_standalone, holds, row.sealed, row.refreshing_until)

    def _write(self, launch: Launch, **values: object) -> None:
        with transaction(self.database) as connection:
            connection.execute(update(smart_launches).where(smart_launches.c.id == launch.id).values(values))


def hashed(secret: str) -> str:
    """What is kept of a state or a cookie: random, so a plain hash will do."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _is_browser(row: "Row[Any]", cookie: str) -> bool:
    return compare_digest(row.browser, hashed(cookie))
