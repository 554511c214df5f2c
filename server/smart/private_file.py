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
        mode, text = file.stat().st_mode, file.read_text("ascii")
    except OSError as error:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}: {file} is not plain text (docs/smart.md)") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"{setting}: {file} can be read by others; run: chmod 600 {file}")
    return text
