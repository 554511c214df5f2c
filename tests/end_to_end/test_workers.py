"""Workers behind one port: killed, replaced, drained; and what is lost meanwhile, which is nothing but what a killed one held."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from server.condition import HINDRANCES, LACKS
from soak.processes import is_alive
from tests.end_to_end.serving import (
    CALL,
    JSON,
    VIEW,
    Load,
    Serving,
    open_slow,
    serving,
    wait_until,
)
from tests.site import OWN_STATEMENT, site_with

WORKERS = 2


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Two workers, and a site's folder that tests may change."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "site").mkdir()
    with serving(folder, WORKERS=str(WORKERS), DRAIN_SECONDS="2", SITE=str(folder / "site")) as running:
        yield running


def test_the_workers_share_one_port_and_the_memory_of_their_generation(service: Serving) -> None:
    workers = service.workers()
    assert len(workers) == WORKERS
    for worker in workers:
        kilobytes = dict(line.split()[:2] for line in Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()[1:])
        assert int(kilobytes["Pss:"]) < 0.75 * int(kilobytes["Rss:"])


@pytest.mark.requirement("DB-02")
def test_each_worker_knows_how_it_is_though_nobody_asks(service: Serving) -> None:
    """Nothing but `/metrics` was asked for since the start, and only one worker was asked."""
    wait_until(lambda: service.figures()("processes") == WORKERS)
    told = service.figures()
    assert told.values("degraded", "reason") == {*HINDRANCES, *LACKS}
    assert told("degraded") == 0


@pytest.mark.requirement("PR-01")
def test_a_killed_worker_loses_at_most_what_it_held_and_another_takes_its_place(service: Serving) -> None:
    clients = 6
    victim = service.workers()[0]
    with Load(service.port).running(kept=clients // 2, opened=clients // 2) as load:
        wait_until(lambda: load.answers[200] > 20)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(service.workers()) == WORKERS and victim not in service.workers())
        answered = load.answers[200]
        wait_until(lambda: load.answers[200] > answered + 20)
    assert set(load.answers) == {200}
    assert load.lost.total() <= clients
    wait_until(lambda: service.logged("worker_ended") == 1)
    assert service.logged("threads_before_fork") == 0
    assert service.figures()("requests_total", endpoint="hooks.call", status="2xx") >= load.answers[200]
    wait_until(lambda: victim not in service.count_in_files())
    assert service.figures()("requests_total", endpoint="hooks.call", status="2xx") >= load.answers[200]


@pytest.mark.requirement("PR-02", "PR-06", "SEC-01")
def test_a_reload_that_cannot_be_used_changes_nothing_and_one_that_can_loses_nothing(service: Serving) -> None:
    """A reload reads the site's folder, and with it all other files that settings name, anew."""
    before, known = service.workers(), service.knowledge()
    site_with(service.folder / "site", guidelines__ours=OWN_STATEMENT.replace("topic:", "tropic:"))
    with Load(service.port).running(kept=3, opened=3) as load:
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.logged("generation_not_started") == 1)
        assert "ours.yaml" in service.log.read_text("utf-8")
        assert service.workers() == before
        site_with(service.folder / "site", guidelines__ours=OWN_STATEMENT)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not any(map(is_alive, before)))
    assert service.logged("generation_serves") == 1
    assert len(service.workers()) == WORKERS
    assert not load.lost
    assert set(load.answers) == {200}
    assert service.knowledge() != known


@pytest.mark.requirement("PR-01")
def test_when_a_generation_is_killed_its_workers_end_and_another_one_serves(service: Serving) -> None:
    generation, workers = service.generation(), service.workers()
    os.kill(generation, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, workers)))
    assert service.get("/health/live") == 200  # it waits at the port until somebody is there
    wait_until(lambda: service.logged("generation_ended") == 1)
    wait_until(lambda: service.count_in_files() == {service.generation(), *service.workers()}, seconds=60)
    wait_until(lambda: service.figures()("processes") == WORKERS, seconds=20)  # a worker has files before it looks at itself


@pytest.mark.requirement("PR-01")
def test_without_a_supervisor_nothing_is_left(service: Serving) -> None:
    left = [service.generation(), *service.workers()]
    service.process.kill()
    wait_until(lambda: not any(map(is_alive, left)))
    assert "Traceback" not in service.log.read_text("utf-8")


@pytest.mark.requirement("PR-02")
def test_told_to_end_it_says_so_serves_on_for_a_while_and_finishes_what_was_begun(tmp_path: Path) -> None:
    with serving(tmp_path, DRAIN_SECONDS="3", WORKERS="1") as service, ExitStack() as stack:
        kept = stack.enter_context(closing(service.connection()))
        kept.request("GET", "/health/ready")
        ready = kept.getresponse()
        assert (ready.status, ready.headers["Connection"], bool(ready.read())) == (200, None, True)
        head = f"POST {VIEW} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(CALL)}\r\n\r\n"
        slow = stack.enter_context(open_slow(service.port, head.encode(), CALL[:100]))
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.get("/health/ready") == 503, seconds=2)
        with closing(service.connection()) as new:
            new.request("POST", VIEW, CALL, JSON)
            answer = new.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
        kept.request("POST", VIEW, CALL, JSON)
        answer = kept.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        wait_until(lambda: not accepts(service.port))
        assert time.monotonic() > begun + 2.9
        assert service.process.poll() is None
        slow.sendall(CALL[100:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert service.process.wait(timeout=10) == 0
        assert "Traceback" not in service.log.read_text("utf-8")


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
