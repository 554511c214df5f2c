"""Folders and files that settings name: seen to before anything is read from them."""

from server.config import PREFIX, Config, ConfigurationError


def refuse_missing(config: Config) -> None:
    """See that the folders and the file of clients are there that settings name.

    Args:
        config: the settings.

    Raises:
        ConfigurationError: one is not; the message names the setting.
    """
    for name, folder in (("SITE", config.site), ("TERMINOLOGY", config.terminology)):
        if folder and not folder.is_dir():
            raise ConfigurationError(f"{PREFIX}{name}: {folder} is no folder; make it, or name the one that is meant")
    if config.clients and not config.clients.is_file():
        raise ConfigurationError(f"{PREFIX}CLIENTS: {config.clients} is no file; write it as docs/clients.md shows it")
