"""The memory of the authorization server. Whatever is for one use can be taken once, by whichever thread comes first."""

import secrets
from collections.abc import Callable
from threading import Lock

from sandbox.authorization.records import Code, Launch, Session, Token

CODE_SECONDS = 60
"""How long a code lives; SMART wants a minute at most."""
LAUNCH_SECONDS = 300
_KEPT_SECONDS = 3600
"""How long a code is remembered, so that a second use, and a nonce that comes again, is noticed."""


def new_secret() -> str:
    """A value that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


class Memory:
    """See the module.

    Args:
        now: the clock, seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Remember nothing yet."""
        self.now = now
        self._lock = Lock()
        self._launches: dict[str, Launch] = {}
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._used_assertions: dict[tuple[str, str], float] = {}

    def add_launch(self, launch: Launch) -> None:
        """Remember a launch, until it is taken."""
        with self._lock:
            self._launches = {key: each for key, each in self._launches.items() if each.expires > self.now()}
            self._launches[launch.value] = launch

    def launch(self, value: str) -> Launch | None:
        """A launch that was not taken yet."""
        found = self._launches.get(value)
        return found if found and found.expires > self.now() else None

    def take_launch(self, launch: Launch) -> bool:
        """Use a launch; whether nobody did before."""
        with self._lock:
            return self._launches.pop(launch.value, None) is not None

    def add_code(self, code: Code) -> None:
        """Remember a code."""
        with self._lock:
            self._codes = {key: each for key, each in self._codes.items() if each.expires + _KEPT_SECONDS > self.now()}
            self._codes[code.value] = code

    def code(self, value: str) -> Code | None:
        """A code, used or not."""
        return self._codes.get(value)

    def take_code(self, value: str, client_id: str) -> Code | None:
        """Use a code; None for one that is unknown, expired, another app's, or used.

        A code that comes twice was stolen by one of the two: its session ends (RFC 6749, section 4.1.2).
        """
        with self._lock:
            found = self._codes.get(value)
            if found is None or found.session.client_id != client_id:
                return None
            if found.taken:
                found.session.revoked = True
                return None
            found.taken = True
            return found if found.expires > self.now() else None

    def nonce_is_known(self, nonce: str, client_id: str) -> bool:
        """Whether a code was given for this nonce before."""
        return any(code.nonce == nonce and code.session.client_id == client_id for code in list(self._codes.values()))

    def add_token(self, token: Token) -> None:
        """Remember a token."""
        with self._lock:
            self._access = {key: each for key, each in self._access.items() if each.expires > self.now()}
            self._refresh = {key: each for key, each in self._refresh.items() if not each.session.revoked}
            self._access[token.access_token] = token
            if token.refresh_token:
                self._refresh[token.refresh_token] = token

    def by_access_token(self, value: str) -> Token | None:
        """The token, while it is valid."""
        found = self._access.get(value)
        return found if found and not found.session.revoked and found.expires > self.now() else None

    def by_refresh_token(self, value: str) -> Token | None:
        """The token, while it can be refreshed. One that was refreshed before ends its session (RFC 9700, section 4.14)."""
        with self._lock:
            found = self._refresh.get(value)
            if found and found.taken:
                found.session.revoked = True
            return found if found and not found.session.revoked else None

    def take_refresh_token(self, token: Token) -> bool:
        """Use a refresh token; whether nobody did before."""
        with self._lock:
            if token.taken:
                token.session.revoked = True
                return False
            token.taken = True
            return True

    def revoke(self, session: Session) -> None:
        """End a session, with all of its tokens."""
        session.revoked = True

    def assertion_is_known(self, client_id: str, jti: str) -> bool:
        """Whether an assertion with this `jti` came before."""
        return (client_id, jti) in self._used_assertions

    def take_assertion(self, client_id: str, jti: str, expires: float) -> bool:
        """Use a client assertion; whether its `jti` is new."""
        with self._lock:
            self._used_assertions = {key: end for key, end in self._used_assertions.items() if end > self.now()}
            is_new = (client_id, jti) not in self._used_assertions
            self._used_assertions[client_id, jti] = expires
            return is_new
