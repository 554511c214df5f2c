"""How often somebody may ask (threat IN-14): a bucket of tokens that refills evenly, and holds four seconds' worth.

A registered client has one, and so has each tenant that it lists: a whole EHR often comes from one address, so that no address
is counted where a token says who calls. Everybody else, who sends no token that is accepted, or asks for a page, has one by
address. Only those who sent nothing good are refused by address, so that nobody is locked out by a neighbour.

Every worker process counts for itself, and grants its share of the whole.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from flask import Flask, Response, g, request

from server.errors import TooManyRequestsError
from server.trust.clients import OPEN_CLIENT, Client
from server.urls import is_loopback_address

BURST_SECONDS = 4
"""What may come at once, in seconds of the average."""
MOST_KEYS = 10_000
"""Addresses that are remembered, those that asked last: a bucket that was forgotten is a full one."""
THIS_MACHINE = 20
"""So many times the usual is granted to this machine: a sandbox or a test calls from there, or a proxy that speaks for many."""

_NOT_COUNTED = frozenset(["health", "metrics"])
"""Blueprints for those who watch over the service."""
_HAVE_CLIENTS = frozenset(["hooks", "feedback", "assess"])
"""Blueprints whose requests the gate counts, if they come to it: what is answered before did next to no work."""


class Buckets:
    """Buckets by key; of each only the moment is kept when it will be full again (the algorithm is known as GCRA)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEYS) -> None:
        """All are full.

        Args:
            clock: seconds, never going back.
            most: keys that are remembered.
        """
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def take(self, key: Hashable, per_second: float) -> float:
        """Take one token out of a bucket.

        Args:
            key: of the bucket.
            per_second: how fast it refills.

        Returns:
            0 if there was one; else the seconds until there will be.
        """
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.pop(key, now), now)
            missing = full_at - now + 1 / per_second
            wait = missing - max(BURST_SECONDS, 1 / per_second)  # even the slowest bucket holds one
            self._full_at[key] = full_at if wait > _INEXACT else full_at + 1 / per_second
            if len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        return wait if wait > _INEXACT else 0

    def give_back(self, key: Hashable, per_second: float) -> None:
        """Put back what `take` took.

        Args:
            key: of the bucket.
            per_second: as it was taken with.
        """
        with self._lock:
            if key in self._full_at:
                self._full_at[key] -= 1 / per_second

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._full_at)


_INEXACT = 1e-6
"""Seconds by which sums of fractions may be wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Counts who asks.

    Args:
        per_second: requests that a client may send on average, unless it has a number of its own.
        workers: processes that share the requests.
        clients: buckets of clients and their tenants.
        addresses: buckets of addresses.
    """

    per_second: int = 50
    workers: int = 1
    clients: Buckets = field(default_factory=Buckets)
    addresses: Buckets = field(default_factory=Buckets)

    def count_client(self, client: Client, tenant: str | None) -> None:
        """Count a request whose token is good.

        Args:
            client: whose it is.
            tenant: its claim; it has a bucket of its own if the client lists it, since others can be made up without end.

        Raises:
            TooManyRequestsError: there were too many of this client, or tenant.
        """
        self._take(self.clients, *self._bucket_of(client, tenant))

    def give_back(self, client: Client, tenant: str | None) -> None:
        """A request that was counted was not the client's after all.

        Args:
            client: as it was counted.
            tenant: likewise.
        """
        key, per_second = self._bucket_of(client, tenant)
        self.clients.give_back(key, per_second / self.workers)

    def count_address(self, address: str | None, what: str) -> None:
        """Count a request that nobody vouches for.

        Args:
            address: it came from; of IPv6 the network of one household counts (RFC 6177).
            what: one word for what is counted apart.

        Raises:
            TooManyRequestsError: there were too many from there.
        """
        network, is_here = _network(address or "")
        self._take(self.addresses, (what, network), self.per_second * (THIS_MACHINE if is_here else 1))

    def _bucket_of(self, client: Client, tenant: str | None) -> tuple[Hashable, float]:
        """Its key, and how fast all workers together refill it."""
        per_second = client.requests_per_second or self.per_second
        times = THIS_MACHINE if client is OPEN_CLIENT else 1
        return (client.name, tenant if tenant in client.tenants else None), per_second * times

    def _take(self, buckets: Buckets, key: Hashable, per_second: float) -> None:
        wait = buckets.take(key, per_second / self.workers)
        if wait:
            raise TooManyRequestsError(math.ceil(wait), limit=per_second)


def install_rate_limit(app: Flask, rates: Rates) -> None:
    """Count by address what passes no gate: pages, launches, the published knowledge, preflights, and whatever there is not.

    Args:
        app: the application.
        rates: counts.
    """

    def count() -> None:
        if "is_counted" not in g and request.blueprint not in _NOT_COUNTED:
            g.is_counted = True
            rates.count_address(request.remote_addr, "page")

    @app.before_request
    def count_page() -> None:
        if request.blueprint not in _HAVE_CLIENTS:
            count()

    @app.after_request
    def count_what_never_came_to_the_gate(response: Response) -> Response:
        try:
            count()
        except TooManyRequestsError as refusal:
            return app.make_response(app.handle_user_exception(refusal))
        return response


def counted_by_gate() -> None:
    """The current request is counted by what the gate makes of its token, and not by address."""
    g.is_counted = True


def _network(address: str) -> tuple[str, bool]:
    """What is counted of an address, and whether it is of this machine."""
    try:
        known = ip_address(address)
    except ValueError:  # a socket of this machine has none
        return "", True
    is_here = is_loopback_address(address)
    if isinstance(known, IPv6Address) and not known.ipv4_mapped and not is_here:
        return str(ip_network((known, 64), strict=False)), False
    return str(known), is_here
