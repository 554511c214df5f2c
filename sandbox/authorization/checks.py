"""What the last launches did right and wrong, by the checks that the Inferno SMART client suite makes.

It judges what came in and decides nothing: the server refuses or not for itself. In memory, the last fifty launches.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock

from sandbox.authorization.addresses import Addresses
from sandbox.authorization.client_assertion_checks import assertion_checks
from sandbox.authorization.memory import Memory
from sandbox.authorization.records import Code, Token
from sandbox.authorization.scopes import allowed
from sandbox.authorization.smart_apps import PRIVATE_KEY_JWT, SmartApp
from sandbox.authorization.verdicts import Check

_KEPT = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """One launch of an app, as far as it got.

    Args:
        number: counts the launches since the start.
        client_id: as the app sent it; empty for none.
        began: when its authorization request came, UTC.
        kind: `EHR launch` or `standalone`.
        authorization, token: the checks of the two requests; those of the token request are empty until one comes.
        refreshed: how many tokens were given for refresh tokens.
        token_used: whether an access token of it was used at the FHIR API.
        state: its `state`, to know it again.
    """

    number: int
    client_id: str
    began: datetime
    kind: str
    authorization: tuple[Check, ...]
    token: tuple[Check, ...] = ()
    refreshed: int = 0
    token_used: bool = False
    state: str = ""

    @property
    def passed(self) -> bool:
        """Whether it got to using a token, and nothing was wrong on the way."""
        return self.token_used and all(check.passed for check in (*self.authorization, *self.token))


class Checks:
    """See the module. Threads may share it.

    Args:
        addresses: of this EHR.
        memory: of launches and codes.
        app_of: a registered app by its client id.
    """

    def __init__(self, addresses: Addresses, memory: Memory, app_of: Callable[[str], SmartApp | None]) -> None:
        """Know no launch yet."""
        self._addresses, self._memory, self._app_of = addresses, memory, app_of
        self._lock = Lock()
        self._attempts: deque[Attempt] = deque(maxlen=_KEPT)
        self._count = 0

    def attempts(self) -> Sequence[Attempt]:
        """The last launches, the newest first."""
        with self._lock:
            return tuple(reversed(self._attempts))

    def authorization_request(self, asked: Mapping[str, str]) -> None:
        """Look at an authorization request, once; the forms of our own page carry the same request again."""
        with self._lock:
            if self._known(asked):
                return
            app = self._app_of(asked.get("client_id", ""))
            self._count += 1
            kind = "EHR launch" if asked.get("launch") else "standalone"
            verdicts = tuple(self._verdicts(asked, app))
            now = datetime.now(UTC)
            state = asked.get("state", "")
            self._attempts.append(Attempt(self._count, asked.get("client_id", ""), now, kind, verdicts, state=state))

    def attempt_of(self, asked: Mapping[str, str]) -> int:
        """The number of the attempt that an authorization request belongs to; 0 for none."""
        with self._lock:
            found = self._known(asked)
            return found.number if found else 0

    def token_request(self, form: Mapping[str, str], basic_client: str | None) -> None:
        """Look at a request for a token by code, before it is answered.

        Args:
            form: of the request.
            basic_client: the client id of the Authorization header, if there is one.
        """
        code = self._memory.code(form.get("code", ""))
        if code is not None:
            verdicts = tuple(self._token_verdicts(form, code, basic_client))
            self._change(code.session.attempt, lambda attempt: replace(attempt, token=verdicts))

    def refreshed(self, token: Token) -> None:
        """A refresh token was used."""
        self._change(token.session.attempt, lambda attempt: replace(attempt, refreshed=attempt.refreshed + 1))

    def token_used(self, token: Token) -> None:
        """An access token came to the FHIR API."""
        self._change(token.session.attempt, lambda attempt: replace(attempt, token_used=True))

    def _change(self, number: int, change: Callable[[Attempt], Attempt]) -> None:
        with self._lock:
            for index, attempt in enumerate(self._attempts):
                if attempt.number == number:
                    self._attempts[index] = change(attempt)

    def _known(self, asked: Mapping[str, str]) -> Attempt | None:
        identity = (asked.get("client_id", ""), asked.get("state", ""))
        same = (attempt for attempt in self._attempts if attempt.state and (attempt.client_id, attempt.state) == identity)
        return next(same, None)

    def _verdicts(self, asked: Mapping[str, str], app: SmartApp | None) -> Sequence[Check]:
        scopes = asked.get("scope", "").split()
        unregistered = set(scopes) - set(allowed(scopes, app.scopes if app else ()))
        return (
            Check("The client is registered", app is not None),
            Check(
                "The redirect URI is a registered one", app is not None and app.check_redirect_uri(asked.get("redirect_uri", ""))
            ),
            Check("It asks for a code", asked.get("response_type") == "code"),
            *self._launch_verdicts(asked, scopes),
            Check("There is a state, long enough not to be guessed", len(asked.get("state", "")) >= 22),
            Check("aud is the base URL of the FHIR server", asked.get("aud", "").rstrip("/") == self._addresses.fhir_base),
            Check("There is a PKCE challenge with S256", _has_challenge(asked)),
            Check("Every scope is registered", bool(scopes) and not unregistered, _not_registered(len(unregistered))),
            Check("openid comes with a nonce", "openid" not in scopes or bool(asked.get("nonce"))),
        )

    def _launch_verdicts(self, asked: Mapping[str, str], scopes: Sequence[str]) -> Sequence[Check]:
        if not asked.get("launch"):
            return (Check("Without a launch, the scope launch is not asked for", "launch" not in scopes),)
        return (
            Check("The launch value is the one that the EHR gave", self._memory.launch(asked["launch"]) is not None),
            Check("It asks for the scope launch", "launch" in scopes),
        )

    def _token_verdicts(self, form: Mapping[str, str], code: Code, basic_client: str | None) -> Sequence[Check]:
        app = self._app_of(code.session.client_id)
        fresh = not code.taken and code.expires > self._memory.now()
        return (
            Check("The code is fresh, and used once", fresh),
            Check("The redirect URI is the one of the authorization request", form.get("redirect_uri") == code.redirect_uri),
            Check("The verifier fits the challenge", code.fits(form.get("code_verifier", ""))),
            *self._authentication_verdicts(form, app, basic_client),
        )

    def _authentication_verdicts(
        self, form: Mapping[str, str], app: SmartApp | None, basic_client: str | None
    ) -> Sequence[Check]:
        if app is None:
            return (Check("The client is registered", False),)
        if app.authentication_method == PRIVATE_KEY_JWT:
            known = self._memory.assertion_is_known
            return assertion_checks(form, app.client_id, self._addresses.token, self._memory.now(), known)
        client_id = basic_client if app.secret else form.get("client_id")
        return (Check("The client names itself in the way it is registered with", client_id == app.client_id),)


def _not_registered(number: int) -> str:
    return f"{number} not registered" if number else ""


def _has_challenge(asked: Mapping[str, str]) -> bool:
    return asked.get("code_challenge_method") == "S256" and len(asked.get("code_challenge", "")) == 43
