"""The processes of a service that was started: a supervisor, its generation, and the workers that answer."""

import json
import os
import signal
from pathlib import Path


def children_of(process: int) -> list[int]:
    """The children of a process that have not ended, oldest first; none if it has ended itself."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    except OSError:
        return []
    return [int(pid) for pid in text.split() if is_alive(int(pid))]


def is_alive(process: int) -> bool:
    """Whether there is such a process, and not only what is left of one."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def tree_of(supervisor: int) -> list[int]:
    """A process and all that it started, to the last generation."""
    tree = [supervisor]
    for one in tree:
        tree += children_of(one)
    return tree


def workers_of(supervisor: int) -> list[int]:
    """The processes that answer: those that a generation forked."""
    return [worker for generation in children_of(supervisor) for worker in children_of(generation)]


def kill_workers(supervisor: int) -> list[int]:
    """Kill every worker with SIGKILL, which none of them can see coming; the supervisor lives on.

    Returns:
        Who was killed.
    """
    killed = workers_of(supervisor)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    return killed


def ends_of_workers(log: Path) -> list[int]:
    """How workers ended that nobody had told to, as the log of the service has it: exit codes, or minus a signal."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if '"event": "worker_ended"' in line]
    return [line["status"] for line in lines]
