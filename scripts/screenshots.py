"""Saves pictures of our pages, for who wants to look: light and dark, on a phone and on a wide screen.

Run `python scripts/screenshots.py FOLDER` in the project.
"""

import logging
import shutil
import sys
from pathlib import Path
from threading import Thread

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from server.application import create_app
from server.config import Config

PAGES = (
    "",
    "connect",
    "guidelines",
    "guidelines/titulaer-2011",
    "guidelines/bmj-best-practice",
    "guidelines/contradictions",
    "guidelines/drug-safety",
    "guidelines/orders",
)


def main(folder: Path) -> None:
    """Serve the pages to this machine only, and save a picture of each."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its line per request helps nobody here
    folder.mkdir(parents=True, exist_ok=True)
    server = make_server("127.0.0.1", 0, create_app(Config()), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for path in PAGES:
            for scheme in ("light", "dark"):
                for width in (390, 1440):
                    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 1000})
                    page.goto(f"http://127.0.0.1:{server.server_port}/{path}")
                    page.screenshot(path=folder / f"{path.replace('/', '-') or 'front'}-{scheme}-{width}.png", full_page=True)
                    page.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say into which folder: python scripts/screenshots.py FOLDER")
    main(Path(sys.argv[1]))
