"""Figures of several processes behind one port: each keeps its own in files, and whichever is asked adds them up.

Knows nothing of the figures themselves: `prometheus_client` decides at its import how it counts, so whoever starts processes
calls `start_metrics` before.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_OF_PROCESSES = Path("/proc")
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def figures_folder() -> Iterator[None]:
    """A folder for the figures as long as the service runs: in memory, since a full disk would end the process."""
    with TemporaryDirectory(prefix="myositis-cds-figures-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        start_metrics(Path(folder))
        yield


def start_metrics(folder: Path) -> None:
    """Count in files of this folder, from now on, in this process and those that it starts; call it before `create_app`.

    Args:
        folder: for this use only, emptied here.

    Raises:
        RuntimeError: this process counts by itself already.
    """
    if "prometheus_client" in sys.modules and os.environ.get(FOLDER) != str(folder):
        raise RuntimeError("the figures of this process were begun before those of several")
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()
    os.environ[FOLDER] = str(folder)


@contextmanager
def unchanging_files() -> Iterator[None]:
    """Within, no file of an ended process goes; so long, `forget_ended_processes` waits."""
    with _locked(Path(os.environ[FOLDER]), fcntl.LOCK_SH):
        yield


def forget_ended_processes() -> None:
    """Take what processes that have ended were (memory, threads, queue) out of the figures; what they did stays counted.

    However they ended, and whoever's children they were. Of all of them together one file of each kind is left, so that
    processes that keep ending do not fill the folder, which would end the others too: to write into it is to write into memory.
    """
    if FOLDER not in os.environ or not _OF_PROCESSES.joinpath("self", "maps").exists():
        return
    folder = Path(os.environ[FOLDER])
    with _locked(folder, fcntl.LOCK_EX):
        of_processes = [file for file in folder.glob("*.db") if _process_of(file).isdecimal()]
        living = {pid for pid in map(_process_of, of_processes) if _counts_in(folder, pid)}
        ended = [file for file in of_processes if _process_of(file) not in living]
        for kind in ("counter", "histogram"):
            _put_together([file for file in ended if file.name.startswith(kind)], folder / f"{kind}_ended.db")
        for file in ended:
            file.unlink()


def _process_of(file: Path) -> str:
    """Files are called `counter_PID.db` or `gauge_MODE_PID.db`."""
    return file.stem.rpartition("_")[2]


def _counts_in(folder: Path, pid: str) -> bool:
    """Whether a process has files of the folder in its memory: an ended one has not, nor who was given its number since."""
    try:
        return str(folder).encode() in (_OF_PROCESSES / pid / "maps").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True


def _put_together(files: list[Path], into: Path) -> None:
    """Add up counters, which are sums by a key that says all about them."""
    from prometheus_client.mmap_dict import MmapedDict  # decides how to count, see above

    read = [file for file in (*files, into) if file.exists() and file.stat().st_size]
    if not files:
        return
    sums: dict[str, float] = {}
    for file in read:
        for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            sums[key] = sums.get(key, 0.0) + value
    new = into.with_suffix(".new")
    new.unlink(missing_ok=True)
    together = MmapedDict(str(new))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        together.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    together.close()  # type: ignore[no-untyped-call]
    new.replace(into)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)
