"""Processes that begin: where the machine has no room for them, and where they are told to end before they are ready."""

import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread, get_ident

import pytest

from server.config import Config
from server.serving.children import NO_PROCESS, start
from server.serving.generation import Generation
from server.serving.port import bind
from server.serving.signals import END_NOW, Signals, hold
from server.serving.supervisor import Supervisor
from server.serving.worker import serve_until_told
from server.store.errors import StoreError
from server.store.sqlite import made_ready
from tests.end_to_end.checked_connection import CheckedConnection
from tests.end_to_end.conftest import COMMAND
from tests.end_to_end.serving import children_of, wait_until
from tests.server.observing.test_traces import collecting

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    before, mask = {number: signal.getsignal(number) for number in HANDLED}, signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with closing(bind(Config(port=0))) as taken:
        yield taken


class _FullMachine:
    """Does not fork; whoever asks for the second time is told to end."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        if self.asked == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        raise BlockingIOError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> _FullMachine:
    full = _FullMachine()
    monkeypatch.setattr(os, "fork", full)
    return full


@pytest.mark.requirement("PR-01")
def test_a_child_that_cannot_be_forked_has_ended_and_leaves_nothing(machine: _FullMachine) -> None:
    files, mask = os.listdir("/proc/self/fd"), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    child = start(lambda tell: 0)
    child.look()
    child.tell(signal.SIGTERM)
    assert (child.status, child.is_ready, child.is_starting) == (NO_PROCESS, False, False)
    assert os.listdir("/proc/self/fd") == files
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


@pytest.mark.requirement("PR-01")
def test_a_generation_without_room_for_a_worker_tries_again_and_does_not_say_that_it_is_ready(
    machine: _FullMachine, listening: socket.socket
) -> None:
    news, tell = os.pipe()
    generation = Generation(Config(), listening, tell, os.getppid(), Signals())
    assert generation.run() == 0
    assert machine.asked == 2
    os.close(tell)
    assert os.read(news, 1) == b""
    os.close(news)


@pytest.mark.requirement("PR-01")
def test_a_supervisor_without_room_for_a_generation_tries_again(machine: _FullMachine, listening: socket.socket) -> None:
    supervisor = Supervisor(Config(), listening, lambda: None)
    supervisor._has_served = True
    assert supervisor.run() == 0
    assert machine.asked == 2


@pytest.mark.requirement("PR-02")
def test_a_service_that_is_told_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    """It waits, meanwhile, for a turn at the folder of its database."""
    folder = tmp_path / "state" / "myositis-cds"
    folder.mkdir(parents=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    environment = {"PATH": os.defpath, "XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen([COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, env=environment) as process:
        try:
            wait_until(lambda: children_of(process.pid), seconds=60)
            process.terminate()
            assert process.wait(timeout=45) == 0
            assert process.stderr
            assert process.stderr.read() == b""
        finally:
            process.kill()
            os.close(lock)


@pytest.mark.requirement("PR-02")
def test_a_worker_that_is_told_to_end_while_it_starts_does_not_say_afterwards_that_it_is_ready(
    listening: socket.socket,
) -> None:
    assert _serve_one(Config(drain_seconds=60), listening, "/health/ready") == 503


def test_the_traces_of_a_worker_that_ends_are_sent(listening: socket.socket) -> None:
    with collecting() as collector:
        assert _serve_one(Config(drain_seconds=60, trace_endpoint=collector.url), listening, "/cds-services") == 200
        assert collector.spans


def _serve_one(config: Config, listening: socket.socket, path: str) -> int:
    """The status that a worker answers with that is told to end before it begins, and to end at once when it has answered."""
    news, tell = os.pipe()
    port, statuses, main = listening.getsockname()[1], [], get_ident()

    def ask() -> None:
        os.read(news, 1)
        try:
            with closing(CheckedConnection(port, timeout=20)) as connection:
                connection.request("GET", path)
                statuses.append(connection.unchecked_answer().status)
        finally:
            signal.pthread_kill(main, END_NOW)

    hold()
    asking = Thread(target=ask)
    asking.start()
    signal.pthread_kill(get_ident(), signal.SIGTERM)
    assert serve_until_told(config, listening, tell, os.getppid()) == 0
    asking.join(20)
    os.close(news)
    return int(statuses[0])


@pytest.mark.requirement("PR-01")
def test_nobody_waits_for_ever_for_another_process_that_makes_the_database_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.sqlite.TURN_SECONDS", 0.1)
    file = tmp_path / "store.sqlite3"
    with made_ready(file), pytest.raises(StoreError, match=f"another process has kept the folder of {file}"), made_ready(file):
        pytest.fail("two had their turn at once")
    with made_ready(file):
        assert file.exists()
