"""What keeps the service from being ready, and what it does without: words out of closed sets (`docs/degradation.md`)."""

from collections.abc import Callable, Mapping, Set
from threading import Event, Lock

from server import file_handles
from server.observing.figures import DEGRADED
from server.observing.logs import logger
from server.runtime import Runtime
from server.store.writing import WriteCheck

LACKS: Mapping[str, Callable[[Runtime], bool]] = {
    "clients-without-keys": lambda runtime: runtime.gate.clients_without_keys > 0,
    "clock-differs": lambda runtime: runtime.gate.clock_watch.differs,
    "knowledge-review-overdue": lambda runtime: runtime.basis.knowledge.review.is_overdue(runtime.config.today()),
    "audit-spilled": lambda runtime: runtime.trail.is_waiting,
    "ehr-left-alone": lambda runtime: runtime.callback.breakers.any_is_open,
}
"""What the service can do without, by the word for it: a part of the service that can fail adds one line."""

DATABASE = "database"
"""A hindrance; of a service that answers calls without its database, a lack."""

HINDRANCES: Mapping[str, str] = {
    "not-ready": "The service is starting or ending. Ask again in a moment.",
    DATABASE: "The database cannot be written now. `myositis-cds db check` says more.",
    "file-handles": "The file handles of this process are nearly used up. Close connections, or raise the limit (ulimit -n).",
}
"""What keeps the service from being ready, by the word for it."""

CONDITION = "myositis-cds-condition"
"""Where the application keeps its condition."""

_log = logger("health")


def lacks(runtime: Runtime) -> tuple[str, ...]:
    """What the service does without now."""
    return tuple(reason for reason, holds in LACKS.items() if holds(runtime))


def answers_without_database(runtime: Runtime) -> bool:
    """Whether calls are answered also while the database cannot be written: a balancer must not turn away from what answers."""
    return runtime.trail.answers_without_database and not any(client.replay_check for client in runtime.clients)


class Condition:
    """How the service is; what changes is said in the log, once, and the figures always tell."""

    def __init__(self, ready: Event, runtime: Runtime) -> None:
        """Nothing has been looked at yet.

        Args:
            ready: set once the service has warmed up, and cleared when it is to end.
            runtime: what has to work.
        """
        self._ready = ready
        self._runtime = runtime
        self._database = WriteCheck(runtime.database)
        self._said: Set[str] = frozenset()
        self._saying = Lock()

    def look(self) -> tuple[str | None, tuple[str, ...]]:
        """What keeps the service from being ready, if anything does, and what it does without."""
        hindrance, lacking = self._hindrance(), lacks(self._runtime)
        if hindrance == DATABASE and answers_without_database(self._runtime):
            hindrance, lacking = None, (DATABASE, *lacking)
        self._say({*lacking, *([hindrance] if hindrance else [])})
        return hindrance, lacking

    def _hindrance(self) -> str | None:
        if not self._ready.is_set():
            return "not-ready"
        if file_handles.are_nearly_used_up():
            return "file-handles"
        # Without its database nobody is let in or heard (threat DB-02).
        return None if self._database.can_write() else DATABASE

    def _say(self, now: Set[str]) -> None:
        with self._saying:
            before, self._said = self._said, now
            for reason in (*HINDRANCES, *LACKS):
                DEGRADED.labels(reason).set(reason in now)
        for reason in sorted(now - before):
            _log.warning("degraded", reason=reason)
        for reason in sorted(before - now):
            _log.info("recovered", reason=reason)
