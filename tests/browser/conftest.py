"""The demo, really started, and a browser that talks to this machine only."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


COMMAND = str(Path(sys.executable).parent / "myositis-cds")


@dataclass(frozen=True)
class Demo:
    """`myositis-cds demo`, running.

    Args:
        service: address of the service.
        sandbox: address of the EHR.
        database: what the service keeps, as a URL.
    """

    service: str
    sandbox: str
    database: str

    def feedback(self) -> list[dict[str, Any]]:
        """What `myositis-cds report feedback` says."""
        command = [COMMAND, "report", "feedback", "--least", "1", "--format", "json"]
        environment = {**os.environ, "MYOSITIS_CDS_DATABASE_URL": self.database}
        printed = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout
        rows: list[dict[str, Any]] = json.loads(printed)["recommendations"]
        return rows


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo, started once: tests that change a chart each have their own patient."""
    port = _two_free_ports()
    database = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.sqlite'}"
    environment = {**os.environ, "MYOSITIS_CDS_DATABASE_URL": database}
    process = subprocess.Popen([COMMAND, "demo", "--port", str(port)], env=environment)
    try:
        _wait_for(port)
        _wait_for(port + 1)
        yield Demo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", database)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def sandbox_url(demo: Demo) -> str:
    """The sandbox's address."""
    return demo.sandbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield chromium
        chromium.close()


class Watched:
    """A page and what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages: list[str] = []
        self.strangers: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:")):
            self.strangers.append(url)


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh page; afterwards it must have been quiet and must have stayed on this machine."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watch = Watched(page)
    yield watch
    page.close()
    assert watch.messages == []
    assert watch.strangers == []


def _two_free_ports() -> int:
    """A free port whose successor is free too."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two neighbouring free ports")


def _wait_for(port: int) -> None:
    """Until something answers there, at most 40 seconds."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.2)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"nothing answered on port {port}")
