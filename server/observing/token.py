"""The token that opens `/metrics` (threat LOG-08)."""

from functools import cache
from pathlib import Path

from server.config import PREFIX, ConfigurationError

SHORTEST_TOKEN = 32
"""Characters of a token that nobody guesses, such as `openssl rand -hex 32` makes (64)."""

_SETTING = f"{PREFIX}METRICS_TOKEN_FILE"


@cache
def metrics_token(file: Path) -> bytes:
    """The token in a file; read once, before there is more than one process, so that all have the same.

    Raises:
        ConfigurationError: the file cannot be read, or what is in it can be guessed.
    """
    try:
        token = file.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"{_SETTING}: the file cannot be read ({type(error).__name__})") from error
    if len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{_SETTING}: fewer than {SHORTEST_TOKEN} characters can be guessed; make a token with: openssl rand -hex 32"
        )
    return token
