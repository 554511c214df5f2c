"""What can be set from outside, checked once at the start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from server.environment import Asked
from server.urls import is_loopback_address

MEBIBYTE = 1024 * 1024
PREFIX = "MYOSITIS_CDS_"
AUDIT_MODES = ("closed", "spill", "open")
_LONGEST_FETCH = 30
_LONGEST_DRAIN = 300
_MOST_WORKERS = 64
THREADS = 16
"""Requests answered at the same time. Most of them wait for an EHR; the interpreter's lock lets one compute."""


class ConfigurationError(ValueError):
    """A setting that cannot be used; the message names the setting and what to do."""


def today_utc() -> date:
    """The current day in UTC, the day that every hook call is assessed for."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one service.

    Args:
        host: literal address. Without registered clients the service is open, so it must be a loopback address.
        port: TCP port; 0 lets the system choose one.
        max_body_bytes: a longer request body is refused.
        card_cap: at most so many cards in one answer.
        sandbox_url: where the sandbox runs, in demo mode; None otherwise.
        site: a folder with what a site adds to the knowledge or overrides (`docs/site-folder.md`).
        terminology: a folder with a site's own ValueSets and ConceptMaps.
        public_url: where clients reach this service, without a trailing slash; what the `aud` of a token is compared with. Empty
            for `http://host:port`.
        clients: the file of registered clients (`clients.toml`); None for an open service.
        database_url: SQLAlchemy URL; the default forgets everything at the end.
        pseudonym_key_file: a file with the key that patients' pseudonyms are made with; None keeps one in the database.
        smart_key_file: a private JWK Set that the SMART app signs with; None makes keys for this process.
        session_key_file: keys that the SMART app's tokens are encrypted with; None makes one for this process.
        fetch_seconds: most time that one hook call spends on calling back to the EHR.
        origins: web origins whose pages may call (CORS), besides those of the clients.
        open_beside_clients: with registered clients, also answer calls from this machine that bring no token. For the demo only:
            no setting from outside reaches it.
        workers: processes that answer requests, behind one port.
        drain_seconds: how long a service that was told to end stays open and says that it is not ready, so that balancers turn
            away.
        audit: what becomes of a call whose audit record cannot be written: `closed` (503), `spill` (kept in `audit_spill_file`
            and brought home later) or `open` (answered, and said in the log).
        audit_spill_file: for `spill`.
        metrics_token_file: whoever brings the token in it may read `/metrics`; None for nobody, or for everybody on this machine
            if the service is open.
        requests_per_second: of one client, on average; four times as many in one second.
        trace_endpoint: URL of an OTLP collector; None to trace nothing.
        knowledge_hash: SHA-256 that the knowledge must have, or the service does not start; None for any.
        discovery_needs_token: whether `/cds-services` asks for a token too.
        today: the clock, a day in UTC.

    Raises:
        ConfigurationError: a setting is out of range, or the host is not loopback though no clients are registered.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    max_body_bytes: int = 5 * MEBIBYTE
    card_cap: int = 5
    sandbox_url: str | None = None
    site: Path | None = None
    terminology: Path | None = None
    public_url: str = ""
    clients: Path | None = None
    database_url: str = field(default="sqlite://", repr=False)  # may hold a password
    pseudonym_key_file: Path | None = None
    smart_key_file: Path | None = None
    session_key_file: Path | None = None
    fetch_seconds: float = 4.0
    origins: tuple[str, ...] = ()
    workers: int = 1
    drain_seconds: float = 5.0
    audit: str = "closed"
    audit_spill_file: Path | None = None
    metrics_token_file: Path | None = None
    requests_per_second: int = 50
    trace_endpoint: str | None = None
    knowledge_hash: str | None = None
    discovery_needs_token: bool = False
    open_beside_clients: bool = False
    today: Callable[[], date] = today_utc

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if not self.public_url:
            host = f"[{self.host}]" if ":" in self.host else self.host
            object.__setattr__(self, "public_url", f"http://{host}:{self.port}")
        if self.clients is None and not is_loopback_address(self.host):
            raise ConfigurationError(
                f"host ({PREFIX}HOST, --host): no clients are registered, so the service is open to everybody who can reach it "
                "and serves this machine only; use 127.0.0.1 or ::1"
            )
        if self.open_beside_clients and not is_loopback_address(self.host):
            raise ConfigurationError(
                f"host ({PREFIX}HOST, --host): what answers without a token serves this machine only; use 127.0.0.1 or ::1"
            )
        for name, setting, is_right, wanted in self._bounds():
            if not is_right:
                raise ConfigurationError(f"{name} ({setting}): must be {wanted}")
        if (self.audit == "spill") != (self.audit_spill_file is not None):
            raise ConfigurationError(f"{PREFIX}AUDIT_SPILL_FILE: belongs to {PREFIX}AUDIT=spill; set both or neither")

    def _bounds(self) -> tuple[tuple[str, str, bool, str], ...]:
        """What each setting is called, whether it is within its bounds, and what they are."""
        return (
            ("port", f"{PREFIX}PORT, --port", 0 <= self.port <= 65535, "from 0 to 65535"),
            ("maximum body", f"{PREFIX}MAX_BODY_MIB", self.max_body_bytes >= 1, "at least 1 MiB"),
            ("card cap", f"{PREFIX}CARD_CAP", self.card_cap >= 1, "at least 1"),
            ("workers", f"{PREFIX}WORKERS", 1 <= self.workers <= _MOST_WORKERS, f"from 1 to {_MOST_WORKERS}"),
            ("time to drain", f"{PREFIX}DRAIN_SECONDS", 0 <= self.drain_seconds <= _LONGEST_DRAIN, f"from 0 to {_LONGEST_DRAIN}"),
            ("audit", f"{PREFIX}AUDIT", self.audit in AUDIT_MODES, " or ".join(AUDIT_MODES)),
            ("requests of one client", f"{PREFIX}REQUESTS_PER_SECOND", self.requests_per_second >= 1, "at least 1"),
            (
                "time for calling back",
                f"{PREFIX}FETCH_SECONDS",
                0 < self.fetch_seconds <= _LONGEST_FETCH,
                f"more than 0, at most {_LONGEST_FETCH}",
            ),
        )

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        *,
        host: str | None = None,
        port: int | None = None,
        sandbox_url: str | None = None,
    ) -> "Config":
        """Read the settings; what is given as an argument wins over the environment, and that over the default.

        Args:
            environment: `os.environ`; read are MYOSITIS_CDS_HOST, _PORT, _MAX_BODY_MIB (mebibytes), _CARD_CAP, _SITE and
                _TERMINOLOGY (folders), _PUBLIC_URL, _CLIENTS (a file), _DATABASE_URL, _PSEUDONYM_KEY_FILE, _SMART_KEY_FILE,
                _SESSION_KEY_FILE, _FETCH_SECONDS, _ORIGINS (separated by spaces), _DISCOVERY (`open` or `token`), _WORKERS,
                _DRAIN_SECONDS, _AUDIT (`closed`, `spill` or `open`), _AUDIT_SPILL_FILE, _METRICS_TOKEN_FILE,
                _REQUESTS_PER_SECOND, _TRACE_ENDPOINT and _KNOWLEDGE_HASH. Without a database URL it is an SQLite file in the
                state folder of the user (XDG_STATE_HOME, else HOME).
            host: from the command line.
            port: from the command line.
            sandbox_url: where the demo started the sandbox.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        _refuse_service_links(environment)
        default = cls()
        environment = asked = Asked(environment)
        config = cls(
            host=environment.get(f"{PREFIX}HOST", default.host) if host is None else host,
            port=_whole_number(environment, "PORT", default.port) if port is None else port,
            max_body_bytes=_whole_number(environment, "MAX_BODY_MIB", default.max_body_bytes // MEBIBYTE) * MEBIBYTE,
            card_cap=_whole_number(environment, "CARD_CAP", default.card_cap),
            sandbox_url=sandbox_url,
            site=_path(environment, "SITE"),
            terminology=_path(environment, "TERMINOLOGY"),
            public_url=environment.get(f"{PREFIX}PUBLIC_URL", "").rstrip("/"),
            clients=_path(environment, "CLIENTS"),
            database_url=environment.get(f"{PREFIX}DATABASE_URL") or _database_in_state_folder(environment),
            pseudonym_key_file=_path(environment, "PSEUDONYM_KEY_FILE"),
            smart_key_file=_path(environment, "SMART_KEY_FILE"),
            session_key_file=_path(environment, "SESSION_KEY_FILE"),
            fetch_seconds=_number(environment, "FETCH_SECONDS", default.fetch_seconds),
            origins=tuple(environment.get(f"{PREFIX}ORIGINS", "").split()),
            workers=_whole_number(environment, "WORKERS", default.workers),
            drain_seconds=_number(environment, "DRAIN_SECONDS", default.drain_seconds),
            audit=_choice(environment, "AUDIT", AUDIT_MODES),
            audit_spill_file=_path(environment, "AUDIT_SPILL_FILE"),
            metrics_token_file=_path(environment, "METRICS_TOKEN_FILE"),
            requests_per_second=_whole_number(environment, "REQUESTS_PER_SECOND", default.requests_per_second),
            trace_endpoint=environment.get(f"{PREFIX}TRACE_ENDPOINT") or None,
            knowledge_hash=environment.get(f"{PREFIX}KNOWLEDGE_HASH") or None,
            discovery_needs_token=_choice(environment, "DISCOVERY", ("open", "token")) == "token",
        )
        _refuse_unknown(asked)
        return config


def _refuse_service_links(environment: Mapping[str, str]) -> None:
    """Kubernetes tells a container of each Service in variables with its name; of one named as we are they look like settings."""
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and (name.endswith("_SERVICE_HOST") or value.startswith(("tcp://", "udp://"))):
            raise ConfigurationError(
                f"{name}: Kubernetes sets it for a Service whose name begins with myositis-cds; "
                "write enableServiceLinks: false in the spec of the pod"
            )


def _refuse_unknown(asked: Asked) -> None:
    """A setting with a slip in its name would otherwise be no setting at all (PR-06)."""
    asked.names.update(f"{PREFIX}{name}" for name in ("HOST", "PORT", "COMMIT"))  # given otherwise, or read elsewhere
    if mistaken := asked.mistaken(PREFIX):
        raise ConfigurationError(
            "; ".join(
                f"{name}: is not a setting" + (f"; did you mean {near}?" if near else " (`myositis-cds config show` lists them)")
                for name, near in mistaken.items()
            )
        )


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(f"{PREFIX}{name}")
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{PREFIX}{name}: must be a whole number") from None


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(f"{PREFIX}{name}")
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{PREFIX}{name}: must be a number") from None


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first where nothing is set."""
    text = environment.get(f"{PREFIX}{name}", choices[0])
    if text not in choices:
        raise ConfigurationError(f"{PREFIX}{name}: must be {' or '.join(choices)}")
    return text


def _database_in_state_folder(environment: Mapping[str, str]) -> str:
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME") or ".") / ".local" / "state")
    return f"sqlite:///{Path(state) / 'myositis-cds' / 'myositis-cds.sqlite3'}"


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(f"{PREFIX}{name}")
    return Path(text) if text else None
