"""An EHR as one client reaches it: each request carries a token, and is sent again with a new one once that has expired."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from server.cohort.fetching.backend_token import BackendTokens
from server.cohort.fetching.errors import RefusedTokenError
from server.cohort.fetching.wire import Incoming, Wire
from server.outbound.http import Answer

_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class Connection:
    """One EHR, and who we are to it.

    Args:
        base: FHIR base URL.
        origins: where tokens may be sent: that of the base, and those that were declared.
        tokens: of this client.
        wire: how servers are reached.
    """

    base: str
    origins: frozenset[str]
    tokens: BackendTokens
    wire: Wire

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """A short answer.

        Raises:
            OutboundError: there is none.
            FetchError: no token, or none that is accepted.
        """
        return self._with_token(lambda authorised: self.wire.get(url, authorised), headers)

    def delete(self, url: str, headers: Mapping[str, str]) -> Answer:
        """An answer to DELETE; raises as `get` does."""
        return self._with_token(lambda authorised: self.wire.delete(url, authorised), headers)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str], *, needs_token: bool) -> Iterator[Incoming]:
        """A file, while it comes.

        Args:
            url: on one of the origins.
            headers: to send besides.
            needs_token: whether the manifest says so; without, none is sent (Bulk Data Access 3.0, "Output File Request").

        Raises:
            OutboundError: there is no answer; and while it is read, where it breaks off.
            FetchError: no token, or none that is accepted.
        """
        if not needs_token:
            with self.wire.stream(url, headers) as incoming:
                yield incoming
            return
        token = self.tokens.current()
        with self.wire.stream(url, {**headers, "Authorization": f"Bearer {token.value}"}) as incoming:
            if incoming.status != _UNAUTHORISED:
                yield incoming
                return
        self.tokens.forget(token)
        with self.wire.stream(url, {**headers, "Authorization": f"Bearer {self.tokens.current().value}"}) as incoming:
            if incoming.status == _UNAUTHORISED:
                raise RefusedTokenError("the EHR refuses a token that it has only just given (HTTP 401).")
            yield incoming

    def _with_token(self, send: Callable[[Mapping[str, str]], Answer], headers: Mapping[str, str]) -> Answer:
        token = self.tokens.current()
        answer = send({**headers, "Authorization": f"Bearer {token.value}"})
        if answer.status != _UNAUTHORISED:
            return answer
        self.tokens.forget(token)
        answer = send({**headers, "Authorization": f"Bearer {self.tokens.current().value}"})
        if answer.status == _UNAUTHORISED:
            raise RefusedTokenError("the EHR refuses a token that it has only just given (HTTP 401).")
        return answer
