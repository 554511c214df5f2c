"""Settings that each may be right, and together, or with the files that they name, are not safe (threats PR-06, SEC-01)."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from server.config import PREFIX, Config, ConfigurationError
from server.observing.token import metrics_token
from server.smart.private_file import refuse_readable_by_others
from server.store.sqlite import file_of
from server.trust.clients import Client


def refuse_unsafe(config: Config, clients: Sequence[Client]) -> None:
    """See that the service may start with these settings.

    Args:
        config: the settings.
        clients: the registered ones.

    Raises:
        ConfigurationError: it may not; the message names the setting and the remedy.
    """
    if config.workers > 1:
        _refuse_memory_of_one_process(config, clients)
    for name, file in _secret_files(config):
        refuse_readable_by_others(f"{PREFIX}{name}", file)
    if config.metrics_token_file:
        metrics_token(config.metrics_token_file)


def _refuse_memory_of_one_process(config: Config, clients: Sequence[Client]) -> None:
    """What one worker remembers, and the others do not, must not decide about a call."""
    url = make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and file_of(url) is None:
        raise ConfigurationError(
            f"{PREFIX}DATABASE_URL: a database in memory belongs to one process, so with {PREFIX}WORKERS above 1 used tokens "
            "would be accepted again and feedback be lost; name a file, or set one worker"
        )
    if not any(client.smart for client in clients):
        return
    for name, file in (("SMART_KEY_FILE", config.smart_key_file), ("SESSION_KEY_FILE", config.session_key_file)):
        if file is None:
            raise ConfigurationError(
                f"{PREFIX}{name}: without it each process makes a key of its own, so with {PREFIX}WORKERS above 1 the app "
                "would fail now and then; name a file (docs/smart.md says how to make it), or set one worker"
            )


def _secret_files(config: Config) -> list[tuple[str, Path]]:
    named = (
        ("PSEUDONYM_KEY_FILE", config.pseudonym_key_file),
        ("SMART_KEY_FILE", config.smart_key_file),
        ("SESSION_KEY_FILE", config.session_key_file),
        ("METRICS_TOKEN_FILE", config.metrics_token_file),
    )
    return [(name, file) for name, file in named if file]
