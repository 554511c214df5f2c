"""What is counted. Labels are words of ours, ids of the knowledge and registered names: closed sets all (LOG-03)."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from server.observing.processes import FOLDER, unchanging_files

REGISTRY = CollectorRegistry()
_PREFIX = "myositis_cds"

PHASES = ("trust", "large_body", "request", "fetch", "store", "turn", "read", "assess", "recommend", "cards", "audit", "total")
"""Parts of a request, as `Server-Timing` names them, and all of it."""


ANSWERED = "answered"
"""Reason of a fetch that brought what it should."""

disable_created_metrics()  # type: ignore[no-untyped-call]


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(f"{_PREFIX}_{name}", says, labels, registry=REGISTRY)


def _gauge(name: str, says: str, *labels: str, of_all: str = "livesum") -> Gauge:
    """A gauge; `of_all` says how those of several processes become one."""
    return Gauge(f"{_PREFIX}_{name}", says, labels, registry=REGISTRY, multiprocess_mode=of_all)  # type: ignore[arg-type]


PHASE_SECONDS = Histogram(
    f"{_PREFIX}_phase_seconds",
    "Time of a call, by service and part; total is all of it.",
    ("service", "phase"),
    registry=REGISTRY,
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
REQUESTS = _counter("requests", "Requests answered.", "endpoint", "status", "client")
EVALUATIONS = _counter("evaluations", "Evaluations, by whether the patient has myositis.", "service", "about")
CARDS = _counter("cards", "Cards shown.", "service", "topic", "indicator")
RECOMMENDATION_CARDS = _counter("recommendation_cards", "Recommendations that a shown card spoke of.", "recommendation")
RULE_OUTCOMES = _counter("rule_outcomes", "What became of each rule in evaluations of patients with myositis.", "rule", "outcome")
WITHHELD = _counter("withheld", "Recommendations that held and were not shown.", "reason")
FEEDBACK = _counter("feedback", "What became of cards, for each recommendation on them.", "recommendation", "outcome")
REFUSED = _counter("tokens_refused", "Callers not let in.", "reason", "client")
FETCHES = _counter("fetches", "Queries to EHRs, by how they ended.", "client", "key", "reason")
DATABASE_TROUBLE = _counter("database_trouble", "Transactions that the database did not do.")
AUDIT_TROUBLE = _counter("audit_trouble", "Audit records that could not be written, by what becomes of such calls.", "action")

DEGRADED = _gauge("degraded", "What the service is not ready for, or does without.", "reason", of_all="livemax")
CLIENTS_IN_SHADOW = _gauge("clients_in_shadow", "Clients to whom nothing is shown (shadow mode).", of_all="livemax")
BREAKERS_OPEN = _gauge("breakers_open", "FHIR servers of a client that are being left alone.", "client", of_all="livemax")
JWK_SET_AGE = _gauge("jwk_set_age_seconds", "Time since a client's keys were fetched.", "client", of_all="livemax")
CLIENTS_WITHOUT_KEYS = _gauge("clients_without_keys", "Clients that cannot be let in.", of_all="livemax")
IAT_OFFSET = _gauge("jwt_iat_offset_seconds", "How far clients' clocks are ahead of ours.", of_all="livemostrecent")
QUEUE = _gauge("queue_length", "Requests that wait for a thread.")
BUSY = _gauge("threads_busy", "Threads that answer a request.")
THREADS = _gauge("threads", "Threads that answer requests.")
CONNECTIONS = _gauge("connections", "Open connections.")
MEMORY = _gauge("resident_memory_bytes", "Memory of all processes.")
FILES = _gauge("open_files", "Open file descriptors of all processes.")
PROCESSES = _gauge("processes", "Processes that answer requests.")
BUILD = _gauge("build_info", "Which build answers.", "version", "commit", "knowledge", "knowledge_hash", of_all="livemax")


def exposition() -> bytes:
    """All figures, in Prometheus' text format; of all processes where there are several."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    with unchanging_files():
        return generate_latest(together)
