"""Access tokens of a backend client: `client_credentials` with a signed assertion (SMART Backend Services; A-24, SM-12).

A token is kept in memory only, for as long as it lives, and there is no refresh token: another one is asked for.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from server.cohort.fetching.discovery import Discovered
from server.cohort.fetching.errors import FetchError
from server.cohort.fetching.saying import json_of, why
from server.cohort.fetching.signing_key import ClientKeys
from server.cohort.fetching.wire import Wire
from server.outbound.http import Answer, OutboundError
from server.smart.closed_words import one_of
from server.smart.keys import ASSERTION_TYPE

_OK = 200
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""Visible ASCII: anything else could start another header."""

_USUAL_LIFE = 300.0
_EARLY = 30.0
"""Seconds before its end from which a token is no longer used; a short one is used for half of its life."""

_WHAT_TO_DO = {
    "invalid_client": (
        "the EHR does not know this client by this key (invalid_client): is --client-id right, is the public key to {file} "
        "registered there under the id {kid}, and is the clock of this machine right?"
    ),
    "unauthorized_client": "the EHR gives this client no tokens for itself (unauthorized_client): ask its team to allow it.",
    "unsupported_grant_type": "the EHR gives no tokens to systems (unsupported_grant_type): no SMART Backend Services there.",
    "invalid_scope": (
        "the EHR grants none of the scopes that were asked for (invalid_scope): ask its team which are registered, choose types "
        "with --type, or spell the scopes as registered with --scope."
    ),
    "invalid_request": "the EHR cannot read the request (invalid_request): is the address of the token endpoint right?",
    "invalid_grant": "the EHR does not accept the assertion (invalid_grant): is the clock of this machine right?",
}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Args:
        value: the token.
        scope: what it grants; None where the EHR does not say.
        until: when it is no longer used, by the clock of its `BackendTokens`.
    """

    value: str = field(repr=False)
    scope: str | None
    until: float


class BackendTokens:
    """Tokens of one client at one EHR, one at a time.

    Args:
        discovered: where tokens are given.
        client_id: that the EHR gave us.
        keys: to sign with.
        wire: how the EHR is reached.
        clock: seconds that never go back.
    """

    def __init__(
        self, discovered: Discovered, client_id: str, keys: ClientKeys, wire: Wire, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is asked yet."""
        self._discovered, self._client_id, self._keys, self._wire, self._clock = discovered, client_id, keys, wire, clock
        self._scope = ""
        self._token: Token | None = None

    def ask_for(self, scope: str) -> None:
        """Say what the next tokens are to cover; one that was given for something else is forgotten.

        Args:
            scope: separated by spaces.
        """
        self._scope, self._token = scope, None

    def current(self) -> Token:
        """A token that is good for a while.

        Raises:
            FetchError: the EHR gives none.
        """
        if self._token is None or self._clock() >= self._token.until:
            self._token = self._ask()
        return self._token

    def forget(self, token: Token) -> None:
        """Do not use a token again, since it was refused."""
        if self._token is token:
            self._token = None

    def _ask(self) -> Token:
        url, algorithms = self._discovered.token_url, self._discovered.algorithms
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._keys.assertion(self._client_id, url, algorithms),
        }
        begun = self._clock()
        try:
            answer = self._wire.post(url, form, {"Accept": "application/json"})
        except OutboundError as error:
            raise FetchError(f"no token from {url}: {why(error)}.") from error
        content = json_of(answer)
        if answer.status != _OK or not isinstance(content, dict):
            raise FetchError(f"no token from {url}: {self._reason(answer, content)}")
        value, scope = content.get("access_token"), content.get("scope")
        if not isinstance(value, str) or not _TOKEN.fullmatch(value) or str(content.get("token_type")).lower() != "bearer":
            raise FetchError(f"no token from {url}: its answer holds none of the type Bearer.")
        life = _life(content.get("expires_in"))
        return Token(value, scope if isinstance(scope, str) else None, begun + max(life - _EARLY, life / 2))

    def _reason(self, answer: Answer, content: Any) -> str:
        said = one_of(content.get("error") if isinstance(content, dict) else None, _WHAT_TO_DO, "")
        if not said:
            return f"HTTP {answer.status} without a reason that this command knows; is the address of the token endpoint right?"
        kid = self._keys.chosen(self._discovered.algorithms).kid
        return _WHAT_TO_DO[said].format(file=self._keys.file, kid=kid)


def _life(expires_in: object) -> float:
    """Seconds that a token lives; SMART has every EHR say so, and recommends five minutes."""
    try:
        seconds = float(str(expires_in))  # some say it as a text
    except ValueError:
        return _USUAL_LIFE
    return seconds if 0 < seconds < float("inf") else _USUAL_LIFE
