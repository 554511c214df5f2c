"""How a process of ours ends that cannot do its work: with a line for people, and an exit code for machines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cards.verdicts import RuleError
from fhir_profiles.codes import TerminologyError
from server.config import ConfigurationError
from server.store.errors import StoreError
from server.warm_up import SelfTestError

UNUSABLE = 2
"""Settings, files or knowledge that cannot be used."""

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
    except (ConfigurationError, RuleError, TerminologyError, SelfTestError) as error:
        _end(str(error), UNUSABLE)
    except StoreError as error:
        _end(str(error), MACHINE_TROUBLE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or type(error).__name__}", MACHINE_TROUBLE)


@contextmanager
def said_of_port() -> Iterator[None]:
    """The same where the port is opened.

    Raises:
        SystemExit: with `MACHINE_TROUBLE`.
    """
    try:
        yield
    except OSError as error:
        _end(f"the port cannot be listened to ({error.strerror}); choose another with --port", MACHINE_TROUBLE)


def _end(text: str, code: int) -> None:
    sys.stderr.write(f"myositis-cds: {text}\n")
    sys.stderr.flush()
    raise SystemExit(code)
