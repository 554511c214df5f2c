"""Saves pictures of all pages, for who wants to look: light and dark, on a phone and on a wide screen.

Run `python -m scripts.screenshots FOLDER` in the project. It starts the demo, and ends it.
"""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from scripts.running_demo import running_demo
from server.application import create_app
from server.config import Config

WIDTHS = (390, 1440)
SCHEMES = ("light", "dark")
CLASSIC = "/patients/classic-dermatomyositis"
STORIES = ("dermatomyositis-refractory-severe", "mda5-amyopathic-rapid-ild")
"""Whose page of the SMART app is shown."""

Shoot = Callable[[str], None]
"""Saves the pictures of the page as it is, under a name."""


def main(folder: Path) -> None:
    """Start the demo, and save a picture of each page.

    Args:
        folder: made if it is not there.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its line per request helps nobody here
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo({}) as (service, sandbox), browser() as chromium:
        page = chromium.new_context().new_page()

        def shoot(name: str) -> None:
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 1000})
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
            page.set_viewport_size({"width": 1440, "height": 1000})

        shoot_sandbox(page, sandbox, shoot)
        shoot_orders(page, sandbox, shoot)
        shoot_app(page, service, sandbox, shoot)
        shoot_service(page, service, shoot)


def shoot_sandbox(page: Page, sandbox: str, shoot: Shoot) -> None:
    """The pages of the EHR."""
    for name, path in (
        ("list", "/"),
        ("chart", "/patients/anti-tif1-gamma-dermatomyositis"),
        ("editor", f"{CLASSIC}/facts"),
        ("switches", "/switches"),
        ("services", "/services"),
    ):
        page.goto(sandbox + path)
        shoot(name)


def shoot_orders(page: Page, sandbox: str, shoot: Shoot) -> None:
    """The order pad with a draft that is warned of."""
    page.goto(f"{sandbox}/patients/dermatomyositis-pregnant/orders")
    page.get_by_label("Medicine, test, imaging or procedure").press_sequentially("methotrexate 2")
    page.get_by_role("button", name="Add methotrexate 2.5 mg").click()
    page.get_by_role("article", name="Methotrexate: contraindicated").wait_for()
    shoot("orders")


def shoot_app(page: Page, service: str, sandbox: str, shoot: Shoot) -> None:
    """The SMART app, opened from cards and without a chart, and what its launches look like to the EHR."""
    page.goto(f"{service}/smart/launch")
    shoot("smart-launch")
    page.get_by_role("link", name="sandbox", exact=True).click()
    page.wait_for_url("**/auth/authorize*")
    shoot("authorize")
    page.goto(page.url.replace("response_type=code", "response_type=token").replace("redirect_uri=http", "redirect_uri=http%3A"))
    shoot("authorize-refused")
    for story in STORIES:
        page.goto(f"{sandbox}/patients/{story}")
        link = page.get_by_role("link", name="Open the whole reasoning").first
        page.goto(f"{sandbox}{link.get_attribute('href')}")
        shoot(f"smart-{story}")
        address = page.url
    page.goto(f"{address}?suppose=pregnancy:pregnant")
    shoot("smart-what-if")
    page.goto(f"{address}?language=de")
    shoot("smart-german")
    page.goto(f"{address}/summary")
    shoot("smart-summary")
    page.goto(f"{service}/smart/patient/{'a' * 22}")
    shoot("smart-ended")
    page.goto(f"{sandbox}/checks")
    shoot("checks")


def shoot_service(page: Page, service: str, shoot: Shoot) -> None:
    """The pages that the service publishes."""
    server = make_server("127.0.0.1", 0, create_app(Config()), threaded=True)  # the demo's own front page is the sandbox's
    Thread(target=server.serve_forever, daemon=True).start()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    shoot("front")
    server.shutdown()
    for name in ("connect", "guidelines"):
        page.goto(f"{service}/{name}")
        shoot(name)
    for name in ("titulaer-2011", "bmj-best-practice", "contradictions", "drug-safety", "orders"):
        page.goto(f"{service}/guidelines/{name}")
        shoot(f"guidelines-{name}")


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say into which folder: python -m scripts.screenshots FOLDER")
    main(Path(sys.argv[1]))
