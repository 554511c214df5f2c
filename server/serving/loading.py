"""Everything that workers are made of, loaded and put together once, to see that it can be."""

import threading
from dataclasses import replace

from server.application import create_app
from server.config import Config
from server.observing.logs import logger
from server.runtime import open_runtime
from server.serving.start_checks import refuse_unsafe

_log = logger("process")


def load(config: Config) -> None:
    """Put the application together; leaves no thread and no connection open.

    Args:
        config: the settings.

    Raises:
        ConfigurationError, StoreError: a setting, a file or the database cannot be used.
    """
    runtime = open_runtime(config)
    refuse_unsafe(config, runtime.clients)
    create_app(replace(config, trace_endpoint=None), runtime=runtime)  # an exporter has a thread
    runtime.database.dispose()
    if threading.active_count() > 1:
        _log.error("threads_before_fork", number=threading.active_count() - 1)
