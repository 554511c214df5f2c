"""The one door: who calls? Every endpoint that needs a caller asks here, before it reads the body."""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from flask import Request
from sqlalchemy import Engine

from server.config import PREFIX, Config, ConfigurationError
from server.errors import TrustUnavailableError, UnauthorisedError
from server.observing.counting import count_refusal
from server.observing.logs import logger
from server.store.errors import StoreError
from server.store.used_tokens import remember
from server.trust.claims import SKEW
from server.trust.clients import OPEN_CLIENT, Caller, Client
from server.trust.clock_watch import ClockWatch
from server.trust.keys import ClientKeys
from server.trust.published_keys import THUMBPRINTS, check_published_keys, serves_this_machine_only
from server.trust.rate_limit import Rates, counted_by_gate
from server.trust.reasons import Reason
from server.trust.tokens import Token, bearer_token, check_claims, check_signature, read_token
from server.urls import is_loopback, is_loopback_host_header, is_secure_url

_FORWARDING = re.compile(r"forwarded|via|x-forwarded.*|x-real-ip|(.*-)?(client|connecting)-ip", re.IGNORECASE)
"""Names of headers that proxies add."""

_log = logger("security")


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """Lets callers in.

    Args:
        clients: the registered ones; none means that everybody on this machine is let in as `OPEN_CLIENT`.
        keys: of each client, by its name.
        is_new: remembers issuer, `jti`, when it may be forgotten and when it was issued (seconds since 1970); False if it was
            remembered already.
        serves_this_machine_only: whether keys that everybody has may be used.
        clock: seconds since 1970.
        clock_watch: told about every token that is accepted.
        open_beside_clients: whether everybody on this machine who brings no token is let in as `OPEN_CLIENT`, too.
        rates: count who asks.
    """

    clients: tuple[Client, ...] = ()
    keys: Mapping[str, ClientKeys] = field(default_factory=dict)
    is_new: Callable[[str, str, int, float], bool] = lambda issuer, jti, until, issued: False
    serves_this_machine_only: bool = False
    clock: Callable[[], float] = time.time
    clock_watch: ClockWatch = field(default_factory=ClockWatch)
    open_beside_clients: bool = False
    rates: Rates = field(default_factory=Rates)

    def admit(self, request: Request, audiences: Sequence[str]) -> Caller:
        """Who sent this request.

        Args:
            request: only its headers are looked at.
            audiences: URLs of the endpoint that was called, any of which the token may be for.

        Raises:
            UnauthorisedError: no token, or one that is not accepted; always with the same words.
            TrustUnavailableError: whether the token was used before cannot be told now.
            TooManyRequestsError: the client, or whoever sends tokens that are not accepted from one address, asks too often.
        """
        client: Client | None = None
        counted_by_gate()
        try:
            if not self.clients or (self.open_beside_clients and "Authorization" not in request.headers):
                return self._anybody(request)
            token = read_token(bearer_token(request))
            client = self._client_of(token)
            now = self.clock()
            self._check_claims(token, client, audiences, now)
            self._check_signature(token, client)
            self.rates.count_client(client, token.tenant)  # before the token is used up, so that it can be sent again
            self._check_replay(token, client)
        except UnauthorisedError as refusal:
            name = client.name if client else "unknown"
            count_refusal(refusal.reason, name)
            self.rates.count_address(request.remote_addr, "refused")  # before the line, so that nobody can fill the log
            _log.warning("refused", reason=refusal.reason, client=name)
            raise
        self.clock_watch.see(client.name, token.issued, now)
        return Caller(client, token.tenant)

    def _anybody(self, request: Request) -> Caller:
        caller = _anybody(request)
        self.rates.count_client(caller.client, None)
        return caller

    def warm(self) -> None:
        """Fetch all keys that are missing or no longer fresh, in the background."""
        for keys in self.keys.values():
            keys.warm()

    def await_keys(self) -> None:
        """Fetch all keys that are missing, side by side, and wait for as long as one fetch may take: whoever calls a service that
        says it is ready is not to be refused because it does not know the caller yet."""
        self.warm()
        for keys in self.keys.values():
            keys.wait()

    @property
    def clients_without_keys(self) -> int:
        """How many clients cannot be let in, because their keys could not be fetched, or were all taken back."""
        return sum(keys.is_empty for keys in self.keys.values())

    def _client_of(self, token: Token) -> Client:
        """The client with this issuer; where several share it, the one that has the tenant."""
        clients = [client for client in self.clients if client.issuer == token.issuer]
        if not clients:
            raise UnauthorisedError(Reason.ISSUER)
        if len(clients) == 1:
            return clients[0]
        for client in clients:
            if token.tenant in client.tenants:
                return client
        raise UnauthorisedError(Reason.TENANT)

    def _check_claims(self, token: Token, client: Client, audiences: Sequence[str], now: float) -> None:
        """As `check_claims`; a signed token that is out of date may mean that our clock is, which refuses everybody (JWT-20)."""
        try:
            check_claims(token, client, audiences, now)
        except UnauthorisedError as refusal:
            if refusal.reason in (Reason.EXPIRED, Reason.NOT_YET):
                with suppress(UnauthorisedError):
                    self._check_signature(token, client)
                    self.clock_watch.see(client.name, token.issued, now)
            raise

    def _check_signature(self, token: Token, client: Client) -> None:
        key = self.keys[client.name].find(token.kid, token.algorithm)
        if key.thumbprint in THUMBPRINTS and not self.serves_this_machine_only:
            raise UnauthorisedError(Reason.PUBLISHED_KEY)
        check_signature(token, key)

    def _check_replay(self, token: Token, client: Client) -> None:
        """Last of all, so that nobody but the client can use up a `jti` (conformance J-16, J-17; threats JWT-14, JWT-15)."""
        if not client.replay_check:
            return
        try:
            is_new = self.is_new(token.issuer, token.jti, math.ceil(token.expires) + SKEW, token.issued)
        except StoreError:
            _log.error("replay_not_checked", client=client.name)
            raise TrustUnavailableError("Whether this token was used before cannot be told now. Try again later.") from None
        if not is_new:
            self.rates.give_back(client, token.tenant)  # whoever got hold of a used token could lock the client out with it
            raise UnauthorisedError(Reason.REPLAYED)


def open_gate(config: Config, clients: Sequence[Client], database: Engine) -> Gate:
    """The gate of a service.

    Args:
        config: the settings.
        clients: registered clients; none for a service that is open to this machine.
        database: remembers used tokens.

    Raises:
        ConfigurationError: the service would be open, or open to anybody with a published key, beyond this machine; or tokens
            cannot be for its public URL.
    """
    registered = tuple(clients)
    if not registered and not is_loopback(config.host):
        raise ConfigurationError(
            "clients: none is registered, so the service is open and serves this machine only; use 127.0.0.1"
        )
    check_published_keys(config, registered)
    if registered and not is_secure_url(config.public_url):
        raise ConfigurationError(
            f"public URL ({PREFIX}PUBLIC_URL): tokens are made for it, so it must be the https URL where EHRs reach the service; "
            "on this machine http will do, with a port that is not 0"
        )
    keys = {client.name: ClientKeys(client) for client in registered}
    return Gate(
        registered,
        keys,
        partial(remember, database),
        serves_this_machine_only(config),
        open_beside_clients=config.open_beside_clients,
        rates=Rates(config.requests_per_second, config.workers),
    )


def _anybody(request: Request) -> Caller:
    """Whoever calls from this machine (threat JWT-19).

    Not through a proxy on it, which would call for somebody elsewhere; and not a page from elsewhere in a browser on it, whose
    name was made to lead here: the browser then still names it as the host.
    """
    if (
        not is_loopback(request.remote_addr or "")
        or not is_loopback_host_header(request.headers.get("Host", ""))
        or any(_FORWARDING.fullmatch(name) for name, _ in request.headers)
    ):
        raise UnauthorisedError(Reason.NOT_THIS_MACHINE)
    return Caller(OPEN_CLIENT)
