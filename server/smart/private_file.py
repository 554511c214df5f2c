"""Files with secrets, that nobody but their owner may read (SM-12)."""

import stat
from pathlib import Path

from server.config import ConfigurationError


def read_private(setting: str, file: Path) -> str:
    """The text of a file with secrets.

    Args:
        setting: that names it, for the message.
        file: the file.

    Raises:
        ConfigurationError: it cannot be read, or by others too.
    """
    try:
        text = file.read_text("ascii")
    except OSError as error:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}: {file} is not plain text (docs/smart.md)") from None
    refuse_readable_by_others(setting, file)
    return text


def refuse_readable_by_others(setting: str, file: Path) -> None:
    """See that only its owner can read a file; for arguments and what is raised see `read_private`."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {error.strerror}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"{setting}: {file} can be read by others; run: chmod 600 {file}")
