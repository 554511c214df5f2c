"""Tokens kept good while a launch is open: refreshed early by one process alone, given back at the end (A-15 to A-17; SM-11)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from server.observing.logs import logger
from server.smart.grant import Grant, GrantError, refreshed
from server.smart.launches import GRANT, Launch, Launches
from server.smart.stops import ENDED, NO_ANSWER, StopError
from server.smart.token_endpoint import HARD_SECONDS, TokenEndpoint, TokenError

EARLY_SECONDS = 60
_STEP = 0.05
_security = logger("security")


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """An open launch, and where its tokens come from.

    Args:
        launch: as it was read.
        launches: where it is kept.
        endpoint: of its EHR.
        sleep: waits for so many seconds.
    """

    launch: Launch
    launches: Launches
    endpoint: TokenEndpoint
    sleep: Callable[[float], None] = time.sleep

    @property
    def grant(self) -> Grant:
        """What was granted, as it was read."""
        return Grant.from_json(self.launch.holds[GRANT])

    def fresh(self) -> "Session":
        """The session with a token that is good for another minute, if the EHR gives one.

        Raises:
            StopError: the token is over, and there is no other.
        """
        now = self.launches.clock()
        if now < self.grant.expires_at - EARLY_SECONDS:
            return self
        is_good = now < self.grant.expires_at
        if self.grant.refresh_token:
            return self._renewed(meanwhile=self if is_good else None)
        return self if is_good else self._ended("no-refresh-token")

    def renewed(self) -> "Session":
        """The session with a new token, the FHIR server having refused this one; that of another process, if one was quicker.

        Raises:
            StopError: there is none.
        """
        return self._renewed(meanwhile=None) if self.grant.refresh_token else self._ended("no-refresh-token")

    def _renewed(self, meanwhile: "Session | None") -> "Session":
        """Renew the token; `meanwhile` is what one can go on with where that is not possible now."""
        if not self.launches.claim_refresh(self.launch):
            return meanwhile or self._when_another_is_done()
        try:
            response = self.endpoint.refresh(self.grant.refresh_token)
            grant = refreshed(self.grant, response, self.launches.clock())
        except TokenError as error:
            if error.is_final:
                return self._of_another() or self._ended(error.reason)
            self.launches.refreshed(self.launch, None)
            if meanwhile:
                return meanwhile
            raise StopError(NO_ANSWER, error.reason) from error
        except GrantError as error:
            _security.warning("refresh_refused", reason=error.reason, client=self.endpoint.client.name)
            return self._ended(error.reason)
        if self.launches.refreshed(self.launch, {**self.launch.holds, GRANT: grant.as_json()}):
            return self._as_it_is_now()
        if another := self._of_another():
            return another  # to give ours back could end theirs
        give_back(grant, self.endpoint)  # the user left meanwhile
        raise StopError(ENDED, "left")

    def end(self) -> None:
        """Forget the tokens, and give them back to the EHR."""
        self.launches.end(self.launch)
        give_back(self.grant, self.endpoint)

    def _when_another_is_done(self) -> "Session":
        for _ in range(round(HARD_SECONDS / _STEP)):
            now = self._as_it_is_now()
            if now.launch.sealed != self.launch.sealed:
                return now
            if now.launch.refreshing_until <= self.launches.clock():
                raise StopError(NO_ANSWER, "refresh-failed")  # the other one was refused for now
            self.sleep(_STEP)
        raise StopError(NO_ANSWER, "refresh-takes-long")

    def _as_it_is_now(self) -> "Session":
        launch = self.launches.again(self.launch)
        if launch is None or not launch.is_open:
            raise StopError(ENDED, "ended")
        return Session(launch, self.launches, self.endpoint, self.sleep)

    def _of_another(self) -> "Session | None":
        """The session as another process has renewed it; None if none has."""
        launch = self.launches.again(self.launch)
        if launch is None or not launch.is_open or launch.sealed == self.launch.sealed:
            return None
        return Session(launch, self.launches, self.endpoint, self.sleep)

    def _ended(self, reason: str) -> "Session":
        self.end()
        raise StopError(ENDED, reason)


def give_back(grant: Grant, endpoint: TokenEndpoint) -> None:
    """Give tokens back that are not used any more: both, since to end the one need not end the other (RFC 7009, 2.1).

    Args:
        grant: with the tokens.
        endpoint: of the EHR that gave them.
    """
    if grant.refresh_token:
        endpoint.revoke(grant.refresh_token, "refresh_token")
    endpoint.revoke(grant.access_token, "access_token")
