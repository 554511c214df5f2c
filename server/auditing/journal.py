"""The local journal of `audit = spill`: records wait here, flushed to disk, while the database does not take them (AUD-02).

One file, one record to a line, for any number of processes of one machine. What waits is not yet part of a chain, so that chains
grow in one place only: the database.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.config import MEBIBYTE

MOST_BYTES = 256 * MEBIBYTE
_LONGEST_LINE = 64 * 1024
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class JournalError(Exception):
    """A record cannot be kept in the journal.

    Args:
        reason: `full`, or the name of the machine's error; fit for a log.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class Journal:
    """The file.

    Args:
        path: where; it is made when it is needed, for our user only.
        most_bytes: the file never becomes longer.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._most_bytes = most_bytes

    def is_waiting(self) -> bool:
        """Whether records wait in it; one look at the folder."""
        with suppress(FileNotFoundError):
            return self._path.stat().st_size > 0
        return False

    def has_room(self) -> bool:
        """Whether a further record finds its place in it; one look at the folder."""
        with suppress(FileNotFoundError):
            return self._path.stat().st_size + _LONGEST_LINE <= self._most_bytes
        return True

    def check(self) -> None:
        """See that it can be written.

        Raises:
            JournalError: it cannot.
        """
        with self._locked():
            pass

    def append(self, text: str) -> None:
        """Keep a record; when this returns, it is on the disk.

        Args:
            text: one line.

        Raises:
            JournalError: it is not kept.
        """
        line = text.encode() + b"\n"
        with self._locked() as file:
            end = _cut_torn_line(file)
            if end + len(line) > self._most_bytes:
                raise JournalError("full")
            written = 0
            while written < len(line):
                written += os.pwrite(file, line[written:], end + written)
            os.fsync(file)
            if end == 0:
                self._flush_folder()

    def read(self, offset: int, most_bytes: int) -> list[bytes]:
        """Whole lines from an offset on, with their ends, about so many bytes of them; nobody is kept waiting.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                piece = file.read(most_bytes) + file.readline(_LONGEST_LINE)
        except OSError as error:
            raise _trouble(error) from error
        return piece[: piece.rfind(b"\n") + 1].splitlines(keepends=True)

    @contextmanager
    def carried(self) -> Iterator[bool]:
        """Whether this thread, alone among all processes, may now bring home what waits.

        Raises:
            JournalError: the machine does not say.
        """
        with _opened(self._path.with_name(f"{self._path.name}.lock")) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nobody adds a record meanwhile; at the end, unless there was trouble, all of them are forgotten.

        Raises:
            JournalError: the file cannot be emptied.
        """
        with self._locked() as file:
            yield
            os.ftruncate(file, 0)
            os.fsync(file)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with _opened(self._path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.fchmod(file, 0o600)
            yield file

    def _flush_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        file = os.open(path, _OPEN, 0o600)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        raise _trouble(error) from error


def _cut_torn_line(file: int) -> int:
    """Cut off what a process that was killed left of a line that nobody was told is kept; where the next line begins."""
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        start = max(0, size - _LONGEST_LINE)
        size = start + os.pread(file, size - start, start).rfind(b"\n") + 1
        os.ftruncate(file, size)
    return size


def _trouble(error: OSError) -> JournalError:
    return JournalError(type(error).__name__)
