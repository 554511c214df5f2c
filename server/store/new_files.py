"""Files for our user only that are there complete or not at all, whenever the process ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def complete_or_absent(file: Path, *, replace: bool = False) -> Iterator[Path]:
    """Where to write a file, which takes its name once everything is in it.

    A process that is killed meanwhile leaves what it has written so far, and an empty file of that name, which is no backup to
    anybody.

    Args:
        file: its name.
        replace: take the place of a file that is there.

    Raises:
        FileExistsError: there is a file of that name already.
        OSError: it cannot be written.
    """
    if not replace:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield partial
        _flush(partial)
        partial.replace(file)
        _flush(file.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        if not replace:
            file.unlink()
        raise


def _flush(path: Path) -> None:
    """See that it survives loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
