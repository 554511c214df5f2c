"""The rules that every answer keeps, whatever was asked: our published schemas, taken strictly, and what no schema can say."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator, Registry
from werkzeug.test import TestResponse

from server.application import create_app
from server.contract.schema_files import schemas

MARKUP = (b"<!doctype", b"<html", b"traceback", b'file "')

MAY_BE_EMPTY = re.compile(rb'null|""|\[\]|\{\}')
"""What a null, or a member without content, looks like in JSON; text in a string may look so, too."""

CONTRACTED = re.compile(r"/(cds-services|assess|health)(/|$)")
"""Paths whose answers are held against a schema. Every refusal is, wherever it comes from."""

PAGES = re.compile(r"/smart/")
"""Paths that people open: what goes wrong is said to them in HTML."""

KINDS = {"asOf": "assess", "cards": "response", "services": "discovery", "status": "health"}
"""The schema of an answer, by the first member of these that it has."""


class CheckedClient(FlaskClient):
    """A test client of the application that no answer passes unchecked."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and check the answer."""
        response = super().open(*args, **kwargs)
        if self.application.import_name == create_app.__module__:
            request = response.request
            check = check_page if PAGES.match(request.path) else check_exchange
            check(request.method, request.path, response.status_code, response.headers, response.get_data())
        return response


def check_exchange(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert what holds for the answer to any request at all."""
    assert status < 500 or status == 503, f"{status}: a fault of ours"
    if method != "HEAD" and (status >= 400 or (status < 300 and CONTRACTED.match(path))):
        check_answer(status, headers, body)
    if body and not path.endswith("/feedback") and status >= 400:
        assert len(orjson.loads(body)["issue"]) == 1


def check_page(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert what holds for every page about a patient, and for every page that says why there is none."""
    assert status < 500 or status in (502, 503), f"{status}: a fault of ours"
    assert headers["Cache-Control"] == "no-store"
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    if headers["Content-Type"].startswith("text/html") and body:
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not re.search(rb"Traceback|<script>|<style|style=| on[a-z]+=", body)


def check_answer(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert what holds for every answer of `/cds-services`, `/assess` and `/health`, and for every refusal."""
    assert headers["Cache-Control"] == "no-store"
    lower = body.lower()
    assert not [one for one in MARKUP if one in lower]
    if status < 300 and not body:
        return  # a preflight or a feedback, to which there is nothing to say
    answer = orjson.loads(body)
    if status >= 300 or "issue" in answer:
        assert headers["Content-Type"] == "application/fhir+json"
        check_outcome(answer)
        return
    assert headers["Content-Type"] == "application/json"
    kind = next(name for member, name in KINDS.items() if member in answer)
    check_schema(kind, answer)
    if kind in ("response", "assess"):
        check_cards(answer["cards"])


def check_schema(name: str, value: Any) -> None:
    """Assert that a value is what our schema says, and holds nothing that the schema does not name."""
    as_sent = orjson.loads(orjson.dumps(value))  # of subclasses, such as our sentences, the validator knows nothing
    problem = next(strict_validator(name).iter_errors(as_sent), None)
    assert problem is None, f"{name}: {problem.instance_path} {problem.message}"


@cache
def strict_validator(name: str) -> Draft202012Validator:
    """A schema of ours, closed to members that it does not name.

    Compiled, since some ten thousand answers of a run are checked; and by another library than the one that checks requests.
    """
    closed = {key: _closed(document) for key, document in schemas().items()}
    return Draft202012Validator(closed[name], registry=Registry([(document["$id"], document) for document in closed.values()]))


def _closed(value: Any) -> Any:
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _closed(item) for key, item in value.items()}
    if inner.get("type") == "object" and "properties" in inner:
        inner.setdefault("additionalProperties", False)
    return inner


def check_outcome(answer: Any) -> None:
    """Assert that it is an OperationOutcome in words and with numbers."""
    check_schema("operation-outcome", answer)
    assert all(re.match(r"MYO-\d{4}: [A-Za-z`].+\.$", issue["diagnostics"]) for issue in answer["issue"])


def check_cards(cards: list[dict[str, Any]]) -> None:
    """Assert what CDS Hooks 2.0.1 asks of cards and a schema does not say."""
    if MAY_BE_EMPTY.search(orjson.dumps(cards)):
        assert list(empty_members(cards)) in ([], [""])
    uuids = [card["uuid"] for card in cards]
    assert len(set(uuids)) == len(uuids)


def empty_members(value: Any, place: str = "") -> Iterator[str]:
    """Where a value is null, an empty string, an empty list or an empty object."""
    if value is None or value in ("", [], {}):
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_members(member, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from empty_members(item, f"{place}[{index}]")


def diagnostics(body: Any) -> str:
    """What an OperationOutcome says."""
    text: str = body["issue"][0]["diagnostics"]
    return text
