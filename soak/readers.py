"""A program: atheris against one of the readers of what others send. `python -m soak.readers NAME -runs=N FOLDER`.

Each target reads any bytes, and either refuses them in the way that it promises or gives what its property says; anything else
ends the program with an error. `all` gives each input to the target that its first byte names.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import atheris
from markdown_it import MarkdownIt

from soak.calls import bodies

OF_TARGET = {
    "json": ["server.json_input"],
    "chart": ["fhir_profiles", "server.assessing"],
    "token": ["server.trust.tokens", "server.trust.claims"],
    "markdown": ["cards.markdown"],
    "retry-after": ["server.ehr.retry_after"],
    "address": ["server.ehr.address", "server.urls"],
}
"""What the fuzzer follows; to follow everything takes half a minute to begin with."""

with atheris.instrument_imports(
    include=OF_TARGET.get(sys.argv[1], ["server.json_input", "cards.markdown", "server.ehr.address"])
):
    from cards.markdown import escape, plain
    from server.assessing.chart_input import evaluate_chart
    from server.ehr.address import below, normal_base
    from server.ehr.retry_after import seconds_to_wait
    from server.errors import RequestRefusedError, UnauthorisedError
    from server.json_input import parse_json
    from server.trust.tokens import read_token
    from server.urls import is_secure_url, origin_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BASE = "https://fhir.example/R4"
_RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class BrokenPromiseError(Exception):
    """What a reader gave is not what it promises."""


def _promised(holds: bool) -> None:
    if not holds:
        raise BrokenPromiseError


def read_json(sent: bytes) -> None:
    """Strict JSON: the same as the standard library reads, and no member twice; integers beyond 64 bits are read as floats."""

    def whole(members: list[tuple[str, Any]]) -> dict[str, Any]:
        _promised(len(members) == len(dict(members)))
        return dict(members)

    with suppress(RequestRefusedError):
        value = parse_json(sent)
        _promised(value == json.loads(sent, object_pairs_hook=whole, parse_int=_integer))


def _integer(digits: str) -> int | float:
    is_wide = len(digits) > len(str(-(2**63)))  # and perhaps too long for an integer at all
    return float(digits) if is_wide or not -(2**63) <= int(digits) < 2**64 else int(digits)


def read_chart(sent: bytes) -> None:
    """A chart: whatever is in it, there is an evaluation or a refusal."""
    with suppress(RequestRefusedError):
        evaluate_chart(parse_json(sent), as_of=date(2026, 11, 22), patient_id=None)


def read_header_of_token(sent: bytes) -> None:
    """A token before anybody believes it."""
    text = sent.decode("latin-1")
    if text.count(".") == 2:  # the gate has seen to that
        with suppress(UnauthorisedError):
            token = read_token(text)
            _promised(all(isinstance(one, float | int) for one in (token.expires, token.issued)))


def read_text(sent: bytes) -> None:
    """A text of a chart is text in Markdown, too, in a paragraph and at the start of one."""
    text = sent.decode("utf-8", "replace")
    for markdown in (escape(text), f"because of {escape(text)}"):
        tokens = _RENDERER.parse(markdown)
        kinds = {token.type for token in tokens} | {part.type for token in tokens for part in token.children or ()}
        _promised(kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"})
    _promised(plain(plain(text)) == plain(text))


def read_retry_after(sent: bytes) -> None:
    """How long to wait: a number, or nothing that is understood."""
    seconds = seconds_to_wait(sent.decode("latin-1"), NOW)
    _promised(seconds is None or (isfinite(seconds) and seconds >= 0))


def read_address(sent: bytes) -> None:
    """A link out of a Bundle leads below the base or nowhere; an address is of this machine or over TLS."""
    text = sent.decode("utf-8", "replace")
    link = below(BASE, text, f"{BASE}/Patient")
    _promised(link is None or (urlsplit(link).netloc == "fhir.example" and f"{urlsplit(link).path}/".startswith("/R4/")))
    base = normal_base(text)
    _promised(base is None or (normal_base(base) == base and urlsplit(base).username is None))
    _promised(not is_secure_url(text) or urlsplit(text).scheme in ("http", "https"))
    _promised(origin_of(text) is None or is_secure_url(text))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "json": read_json,
    "chart": read_chart,
    "token": read_header_of_token,
    "markdown": read_text,
    "retry-after": read_retry_after,
    "address": read_address,
}
SEEDS: Mapping[str, Callable[[], list[bytes]]] = {
    "json": lambda: [b'{"a": [1, 2.5e3, "\\u003a\\ud83d\\ude00"], "b": {"a": null}}', *list(bodies()["healthy"].values())[:1]],
    "chart": lambda: [json.dumps([*json.loads(one["patient-view"])["prefetch"].values()]).encode() for one in bodies().values()],
    "token": lambda: [
        b"eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJpc3MiOiJ4IiwiYXVkIjoieSIsImV4cCI6MSwiaWF0IjoxLCJqdGkiOiJ6In0.AA"
    ],
    "markdown": lambda: [b"<b> [x](javascript:1) ![](//x) www.x.y `a` 1. # > - | ~~~ &lt; \\ a@b.c"],
    "retry-after": lambda: [b"120", b"Sun, 22 Nov 2026 12:00:00 GMT"],
    "address": lambda: [
        b"https://fhir.example/R4?page=2",
        b"../R4/Patient?x=%2e",
        b"http://[::1]:8000/",
        b"//user@fhir.example:443/R4",
    ],
}


ALL = "all"


def _read_any(sent: bytes) -> None:
    [*TARGETS.values()][sent[:1][0] % len(TARGETS) if sent else 0](sent[1:])


def _seeds_of_all() -> list[bytes]:
    return [bytes([number]) + SEEDS[name]()[0] for number, name in enumerate(TARGETS)]


def main(name: str, *arguments: str) -> None:
    """Fuzz one target until it fails, or all runs are done; does not return.

    Args:
        name: of the target.
        arguments: of libFuzzer; the last is the folder of its corpus, which gets the seeds.
    """
    seeds = _seeds_of_all() if name == ALL else SEEDS[name]()
    for number, seed in enumerate(seeds):
        (Path(arguments[-1]) / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *arguments], _read_any if name == ALL else TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
