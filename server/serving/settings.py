"""Every setting, its value without secrets, and where that comes from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url

from server.config import MEBIBYTE, PREFIX, Config
from server.store.engines import place_of

_INTERNAL = frozenset(("sandbox_url", "open_beside_clients", "today"))
_OTHER_NAMES = {"max_body_bytes": "MAX_BODY_MIB", "discovery_needs_token": "DISCOVERY"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Args:
        name: of its environment variable.
        value: in words, without secrets.
        source: `environment` or `default`.
    """

    name: str
    value: str
    source: str


def settings_of(config: Config, environment: Mapping[str, str]) -> Iterator[Setting]:
    """All settings that can be set from outside, in the order of `Config`.

    Args:
        config: the settings.
        environment: that they were read from.
    """
    for one in fields(config):
        if one.name in _INTERNAL:
            continue
        name = f"{PREFIX}{_OTHER_NAMES.get(one.name, one.name.upper())}"
        value = _WORDS.get(one.name, _plain)(getattr(config, one.name))
        yield Setting(name, value, "environment" if name in environment else "default")


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _without_user(url: str | None) -> str:
    """Scheme and host: what else a URL has may be a secret."""
    if url is None:
        return "none"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "database_url": lambda url: place_of(make_url(url)),
    "discovery_needs_token": lambda needs: "token" if needs else "open",
    "max_body_bytes": lambda number: str(number // MEBIBYTE),
    "trace_endpoint": _without_user,
}
