"""How the tests of the pages read and use them."""

import re
from html.parser import HTMLParser

from flask.testing import FlaskClient

from tests.sandbox.conftest import CARD

SLUG = "anti-tif1-gamma-dermatomyositis"
PATIENT = f"/patients/{SLUG}"
PAGES = ("/", PATIENT, f"{PATIENT}/orders", f"{PATIENT}/facts", "/switches", "/services", "/checks")
VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "circle", "polyline", "path"}
CARD_ID = CARD["uuid"]
NO_CARD = f"{PATIENT}/answers/none/cards/0"
ORDER = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": "pulmonary function test"}}
ACTION = {"type": "create", "description": "Draft an order", "resource": ORDER}
SUGGESTION = {"uuid": "22222222-2222-4222-8222-222222222222", "label": "Order pulmonary function test", "actions": [ACTION]}


class Page(HTMLParser):
    """What a test asks of a page: is it well formed, which ids, links and loaded files, which text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.posts: list[str] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [given[name] for name in ("src", "href", "srcset", "data") if name in given and tag != "a"]
        self.posts += [given["action"]] if given.get("method") == "post" else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def page(client: FlaskClient, path: str, status: int = 200) -> tuple[str, Page]:
    response = client.get(path)
    assert response.status_code == status, response.text
    parsed = Page(response.text)
    assert parsed.open == []
    return response.text, parsed


def form_token(client: FlaskClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/services").text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> tuple[str, Page]:
    """Send a form as a browser does that is on the page, and follow to the page that answers."""
    response = client.post(path, data={"form_token": form_token(client)} | fields, follow_redirects=True)
    assert response.status_code == 200, response.text
    return response.text, Page(response.text)


def way(parsed: Page, ending: str) -> str:
    """Where the first form or link leads whose address ends so."""
    return next(one for one in (*parsed.posts, *parsed.links) if one.endswith(ending))


def card(html: str) -> str:
    return html[html.index("<article") : html.index("</article>")]


def said(html: str) -> str:
    return html[html.index('id="status"') : html.index("<main")]
