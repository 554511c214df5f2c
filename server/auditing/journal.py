"""The local journal of `audit = spill`: records wait here, flushed to disk, while the database does not take them (AUD-02).

One file, one record to a line, for any number of processes of one machine. What waits is not yet part of a chain, so that chains
grow in one place only: the database. What cannot be brought there is put aside, in a file beside it, and never deleted by us.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from server.config import MEBIBYTE

MOST_BYTES = 256 * MEBIBYTE
DAMAGED = ".damaged"
_LONGEST_LINE = 64 * 1024
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class JournalError(Exception):
    """A record cannot be kept in the journal.

    Args:
        reason: `full`, `long`, or the name of the machine's error; fit for a log.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class Piece(NamedTuple):
    """Some bytes of the file.

    Args:
        offset: where they begin.
        length: how many.
    """

    offset: int
    length: int


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
        if len(line) > _LONGEST_LINE:
            raise JournalError("long")
        with self._locked() as file:
            end = _cut_torn_line(file)
            if end + len(line) > self._most_bytes:
                raise JournalError("full")
            _write(file, line, end)
            os.fsync(file)
            if end == 0:
                self._flush_folder()

    def read(self, offset: int, most_bytes: int) -> list[bytes]:
        """Whole lines from an offset on, with their ends, about so many bytes of them; nobody is kept waiting.

        Where no line ends for longer than any line of ours is (a disk may lose power), the bytes come as if they were one. What
        is left out is at most the beginning of a line at the end of the file.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                piece = file.read(most_bytes) + file.readline(_LONGEST_LINE)
        except OSError as error:
            raise _trouble(error) from error
        whole = piece.rfind(b"\n") + 1
        if not whole and len(piece) > _LONGEST_LINE:
            return [piece]
        return [line + b"\n" for line in piece[:whole].split(b"\n")[:-1]]

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
    def closed(self) -> Iterator[int]:
        """Nobody adds a record meanwhile, so that its length is known; at the end, unless there was trouble, all are forgotten.

        Raises:
            JournalError: the file cannot be emptied.
        """
        with self._locked() as file:
            yield os.fstat(file).st_size
            os.ftruncate(file, 0)
            os.fsync(file)

    def put_aside(self, pieces: Iterable[Piece]) -> None:
        """Keep what cannot be brought home, in a file with the same name and `DAMAGED`; on return it is on the disk.

        Args:
            pieces: of this journal, which is `closed` meanwhile. One piece to a line.

        Raises:
            JournalError: it is not kept.
        """
        path = self._path.with_name(self._path.name + DAMAGED)
        with _opened(self._path) as file, _opened(path) as aside:
            os.fchmod(aside, 0o600)
            begin = end = os.fstat(aside).st_size
            try:
                for piece in pieces:
                    line = os.pread(file, piece.length, piece.offset).removesuffix(b"\n") + b"\n"
                    if end + len(line) > self._most_bytes:
                        raise JournalError("full")
                    _write(aside, line, end)
                    end += len(line)
                os.fsync(aside)
            except (OSError, JournalError):
                os.ftruncate(aside, begin)  # all of it is put aside again, the next time
                raise
            self._flush_folder()

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


def _write(file: int, line: bytes, offset: int) -> None:
    written = 0
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)


def _cut_torn_line(file: int) -> int:
    """Cut off what a process that was killed left of a line that nobody was told is kept; where the next line begins.

    What looks otherwise is damage, of which nothing is cut off: it becomes a line of its own.
    """
    size = os.fstat(file).st_size
    if not size or os.pread(file, 1, size - 1) == b"\n":
        return size
    start = max(0, size - _LONGEST_LINE)
    last = os.pread(file, size - start, start)
    end = last.rfind(b"\n") + 1
    if (start and not end) or b"\0" in last[end:]:
        return size + os.pwrite(file, b"\n", size)
    os.ftruncate(file, start + end)
    return start + end


def _trouble(error: OSError) -> JournalError:
    return JournalError(type(error).__name__)
