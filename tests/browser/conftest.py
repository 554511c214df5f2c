"""The demo, really started, and a browser that talks to this machine only.

Every page is watched: at the end of a test nothing may have been said in the console, no request may have failed, and none may
have gone elsewhere.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from sandbox.authorization.misbehaviour import Misbehaviour
from scripts.running_demo import COMMAND, running_demo
from server.smart.grant import Grant
from server.smart.launches import GRANT
from server.smart.sealing import load_sealer

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Demo:
    """`myositis-cds demo`, running.

    Args:
        service: address of the service.
        sandbox: address of the EHR.
        folder: its database, the keys of its sessions, and what its authorization server does wrong.
    """

    service: str
    sandbox: str
    folder: Path

    def feedback(self) -> list[dict[str, Any]]:
        """What `myositis-cds report feedback` says."""
        command = [COMMAND, "report", "feedback", "--least", "1", "--format", "json"]
        environment = {**os.environ, **settings(self.folder)}
        printed = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout
        rows: list[dict[str, Any]] = json.loads(printed)["recommendations"]
        return rows

    def misbehave(self, **switched_on: Any) -> None:
        """Let the authorization server do these things wrong, and no others."""
        (self.folder / "misbehaviour.json").write_text(json.dumps(asdict(Misbehaviour(**switched_on))), "utf-8")

    def sealed(self, launch: str) -> str:
        """What the service keeps of a launch, as it stands in the database."""
        with sqlite3.connect(self.folder / "demo.sqlite", timeout=10) as connection:
            [(sealed,)] = connection.execute("SELECT sealed FROM smart_launches WHERE id = ?", (launch,))
        return str(sealed)

    def grant(self, launch: str) -> Grant:
        """What the EHR granted for a launch, with the tokens that it issued."""
        opened = load_sealer(self.folder / "session.keys").open(launch, self.sealed(launch))
        return Grant.from_json(opened[GRANT])


def settings(folder: Path) -> dict[str, str]:
    """The settings of the demo."""
    return {
        "MYOSITIS_CDS_DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite'}",
        "MYOSITIS_CDS_SESSION_KEY_FILE": str(folder / "session.keys"),
        "SANDBOX_MISBEHAVIOUR": str(folder / "misbehaviour.json"),
    }


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo, started once: tests that change a chart each have their own patient."""
    folder = tmp_path_factory.mktemp("demo")
    keys = folder / "session.keys"
    keys.touch(mode=0o600)
    keys.write_text("5e" * 32, "ascii")
    with running_demo(settings(folder)) as (service, sandbox):
        yield Demo(service, sandbox, folder)


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


@dataclass
class Watched:
    """One page, with all that it opens, and what went wrong on any of them.

    Args:
        context: of the page; its tabs share cookies.
        page: the first tab.
        messages: of the consoles.
        failures: requests that were not answered, or answered with a refusal: status and path.
        strangers: addresses on other machines.
    """

    context: BrowserContext
    page: Page = field(init=False)
    messages: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", lambda message: self._hear(message.text))
        self.context.on("weberror", lambda error: self.messages.append(str(error.error)))
        self.context.on("request", lambda request: self._note(request.url))
        self.context.on("requestfailed", lambda request: self._fail(request.failure, request.url))
        self.context.on("response", self._judge)
        self.page = self.context.new_page()

    def expect(self, *failures: str) -> None:
        """These, such as `401 /smart/patient`, were meant to happen until now, and nothing else."""
        assert self.failures == list(failures)
        self.failures.clear()

    def check(self) -> None:
        """Nothing went wrong."""
        assert self.messages == []
        assert self.failures == []
        assert self.strangers == []

    def forget(self) -> None:
        """Begin to watch anew."""
        for heard in (self.messages, self.failures, self.strangers):
            heard.clear()

    def _hear(self, text: str) -> None:
        if not text.startswith("Failed to load resource"):  # which `failures` says better
            self.messages.append(text)

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:")):
            self.strangers.append(url)

    def _judge(self, response: Response) -> None:
        if response.status >= 400:
            self._fail(str(response.status), response.url)

    def _fail(self, why: str | None, url: str) -> None:
        if why != "net::ERR_ABORTED":  # a page was left before all of it had come
            self.failures.append(f"{why} {urlsplit(url).path}")


Watch = Callable[..., Watched]


@pytest.fixture
def watch(browser: Browser) -> Iterator[Watch]:
    """Opens a browser of its own, for instance with `locale` or `viewport`; afterwards it must have been quiet."""
    opened: list[Watched] = []

    def opens(**options: Any) -> Watched:
        opened.append(Watched(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})))
        return opened[-1]

    yield opens
    for each in opened:
        each.context.close()
    for each in opened:
        each.check()


@pytest.fixture
def watched(watch: Watch) -> Watched:
    """A fresh page; afterwards it must have been quiet and must have stayed on this machine."""
    return watch()


@pytest.fixture(scope="session")
def _one_tab(browser: Browser) -> Iterator[Watched]:
    opened = Watched(browser.new_context())
    yield opened
    opened.context.close()


@pytest.fixture
def tab(_one_tab: Watched) -> Iterator[Watched]:
    """Like `watched`, for pages that keep nothing in the browser: the same tab each time, since opening one takes long."""
    _one_tab.page.emulate_media(media="null", color_scheme="null")
    _one_tab.page.set_viewport_size({"width": 1280, "height": 900})
    yield _one_tab
    _one_tab.page.goto("about:blank")
    try:
        _one_tab.check()
        assert not _one_tab.context.cookies()
    finally:
        _one_tab.forget()


def shuts_out(page: Page) -> list[str]:
    """What axe finds, in light and in dark, that keeps people out; and whether the page scrolls sideways on a phone."""
    before = page.viewport_size
    found = _serious(page, {})
    page.emulate_media(color_scheme="dark")
    found += _serious(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})  # only colours differ in the dark
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    found += _serious(page, {"runOnly": {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    if not fits(page):
        found.append("wider than a phone")
    page.set_viewport_size(before or {"width": 1280, "height": 900})
    return found


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def widths_that_scroll_sideways(page: Page, *widths: int) -> list[int]:
    """On which of these screens something has to be scrolled sideways."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        if not fits(page):
            found.append(width)
    return found


def _serious(page: Page, rules: dict[str, Any]) -> list[str]:
    violations = Axe().run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
