"""What can be set from outside, checked once at the start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path

MEBIBYTE = 1024 * 1024
PREFIX = "MYOSITIS_CDS_"


class ConfigurationError(ValueError):
    """A setting that cannot be used; the message names the setting and what to do."""


def today_utc() -> date:
    """The current day in UTC, the day that every hook call is assessed for."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one service.

    Args:
        host: literal loopback address. Without registered clients the service is open, so it serves this machine only.
        port: TCP port; 0 lets the system choose one.
        max_body_bytes: a longer request body is refused.
        card_cap: at most so many cards in one answer.
        sandbox_url: where the sandbox runs, in demo mode; None otherwise.
        site: a folder with what a site adds to the knowledge or overrides (`docs/site-folder.md`).
        terminology: a folder with a site's own ValueSets and ConceptMaps.
        today: the clock, a day in UTC.

    Raises:
        ConfigurationError: a setting is out of range, or the host is not loopback.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    max_body_bytes: int = 5 * MEBIBYTE
    card_cap: int = 5
    sandbox_url: str | None = None
    site: Path | None = None
    terminology: Path | None = None
    today: Callable[[], date] = today_utc

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if not _is_loopback(self.host):
            raise ConfigurationError(
                f"host ({PREFIX}HOST, --host): no clients are registered, so the service is open to everybody who can reach it "
                "and serves this machine only; use 127.0.0.1 or ::1"
            )
        if not 0 <= self.port <= 65535:
            raise ConfigurationError(f"port ({PREFIX}PORT, --port): must be from 0 to 65535")
        if self.max_body_bytes < 1:
            raise ConfigurationError(f"maximum body ({PREFIX}MAX_BODY_MIB): must be at least 1 MiB")
        if self.card_cap < 1:
            raise ConfigurationError(f"card cap ({PREFIX}CARD_CAP): must be at least 1")

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
                _TERMINOLOGY (folders).
            host: from the command line.
            port: from the command line.
            sandbox_url: where the demo started the sandbox.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        default = cls()
        return cls(
            host=environment.get(f"{PREFIX}HOST", default.host) if host is None else host,
            port=_whole_number(environment, "PORT", default.port) if port is None else port,
            max_body_bytes=_whole_number(environment, "MAX_BODY_MIB", default.max_body_bytes // MEBIBYTE) * MEBIBYTE,
            card_cap=_whole_number(environment, "CARD_CAP", default.card_cap),
            sandbox_url=sandbox_url,
            site=_folder(environment, "SITE"),
            terminology=_folder(environment, "TERMINOLOGY"),
        )


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(f"{PREFIX}{name}")
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{PREFIX}{name}: must be a whole number") from None


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(f"{PREFIX}{name}")
    return Path(text) if text else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
