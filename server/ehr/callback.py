"""What was not sent is fetched from the EHR that called, if we are registered to call it back.

Conformance R-11, R-15, R-17 and T-6 to T-12; threats OUT-01 to OUT-18. All queries of a hook call run side by side, under one
deadline: when it is over, what has come counts, and the rest is said not to have been answered.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from server.cds_hooks.envelope import HookCall
from server.cds_hooks.prefetch import TEMPLATES, Prefetched, read_prefetch, with_fetched
from server.cds_hooks.prefetch_state import PrefetchState
from server.config import Config
from server.ehr.breaker import Breakers, Key
from server.ehr.budget import Budget
from server.ehr.bulkhead import Bulkheads
from server.ehr.exchange import FetchError
from server.ehr.fetch import Outcome, Query, failed, fetch
from server.ehr.permission import FhirServer, Refusal, server_to_call
from server.observing.counting import count_fetches
from server.observing.logs import logger
from server.trust.clients import Client

_log = logger("ehr")
_security = logger("security")

MOST_AT_ONCE = 6
"""Connections that one hook call opens to an EHR side by side; as many as a browser would."""


@dataclass(frozen=True, slots=True, eq=False)
class Callback:
    """Calls EHRs back; one for the whole service, since it remembers which servers are in trouble.

    Args:
        config: the settings.
        clock: in seconds.
        breakers: which servers are in trouble.
        bulkheads: which clients keep enough threads waiting already.
    """

    config: Config
    clock: Callable[[], float] = time.monotonic
    breakers: Breakers = field(default_factory=Breakers)
    bulkheads: Bulkheads = field(default_factory=Bulkheads)

    def complete(self, call: HookCall, client: Client) -> Prefetched:
        """The prefetch of a call, with what is missing fetched.

        Args:
            call: the hook call.
            client: who sent it.
        """
        sent = read_prefetch(call.prefetch)
        queries = _queries(call, client, sent)
        server = server_to_call(call, client)
        if not queries or server == "no-server":
            return sent
        if not isinstance(server, FhirServer):
            _say_why_not(server, client)
            return sent
        outcomes = self.ask_all(queries, server, client)
        fetched = {query.template.key: outcome.fetched for query, outcome in zip(queries, outcomes, strict=True)}
        count_fetches(client.name, ((key, one.reason) for key, one in fetched.items()))
        for key, one in fetched.items():
            if one.reason:
                _log.warning("query_failed", client=client.name, key=key, reason=one.reason)
        return with_fetched(sent, fetched)

    def ask_all(self, queries: Sequence[Query], server: FhirServer, client: Client) -> list[Outcome]:
        """How queries ended; at once, where the client has all its places taken, or the server is being left alone.

        Args:
            queries: what to ask, side by side.
            server: whom, with what token.
            client: on whose behalf.
        """
        with self.bulkheads.place(client.name) as is_free:
            if not is_free:
                return [failed(FetchError("busy"))] * len(queries)
            key = (client.name, server.base)
            if not self.breakers.lets_through(key):
                return [failed(FetchError("circuit-open"))] * len(queries)
            outcomes = self._ask(queries, server)
            self._tell_breaker(key, [one.error for one in outcomes if one.error and one.error.is_trouble], len(outcomes))
            return outcomes

    def _ask(self, queries: Sequence[Query], server: FhirServer) -> list[Outcome]:
        budget = Budget(self.config.fetch_seconds, clock=self.clock)
        pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="ehr")
        try:
            futures = [pool.submit(fetch, query, server, budget) for query in queries]
            wait(futures, max(0.0, budget.seconds))
            return [future.result() if future.done() else failed(FetchError("timeout")) for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # each exchange ends by itself at the same deadline

    def _tell_breaker(self, server: Key, troubles: Sequence[FetchError], asked: int) -> None:
        """One verdict per hook call: the server is in trouble if it was with most queries."""
        if 2 * len(troubles) > asked:
            waits = [one.retry_after for one in troubles if one.reason == "busy" and one.retry_after is not None]
            self.breakers.failed(server, max(waits, default=None))
        else:
            self.breakers.succeeded(server)


def _queries(call: HookCall, client: Client, sent: Prefetched) -> list[Query]:
    """What to ask, in the order of the templates: what is required comes first."""
    return [
        Query(template, call.patient_id, _part_sent(call.prefetch.get(template.key), sent.states[template.key]))
        for template in TEMPLATES
        if sent.states[template.key].is_worth_fetching and template.resource_type not in client.fhir_types_missing
    ]


def _say_why_not(refusal: Refusal, client: Client) -> None:
    """A registered client that names another server, or sends a token that cannot be right, is a matter of security."""
    if refusal != "no-token" and client.fhir_servers:
        _security.warning("callback_refused", reason=refusal, client=client.name)
    else:
        _log.info("no_callback", reason=refusal)


def _part_sent(content: Any, state: PrefetchState) -> dict[str, Any] | None:
    return content if state is PrefetchState.PAGINATED and isinstance(content, dict) else None
