"""How a process of ours ends that cannot do its work: with a line for people, and an exit code for machines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from server.config import ConfigurationError
from server.store.errors import StoreError

UNUSABLE = 2
"""Settings or files that cannot be used."""

MACHINE_TROUBLE = 1
"""A port in use, a database that cannot be written."""


@contextmanager
def said() -> Iterator[None]:
    """Say on standard error what cannot be used, and end.

    Raises:
        SystemExit: with `UNUSABLE` or `MACHINE_TROUBLE`.
    """
    try:
        yield
    except ConfigurationError as error:
        _end(str(error), UNUSABLE)
    except StoreError as error:
        _end(str(error), MACHINE_TROUBLE)
    except OSError as error:
        _end(f"the port cannot be listened to ({error.strerror}); choose another with --port", MACHINE_TROUBLE)


def _end(text: str, code: int) -> None:
    sys.stderr.write(f"myositis-cds: {text}\n")
    sys.stderr.flush()
    raise SystemExit(code)
