"""Strict JSON: what is refused, and where the limit of depth lies."""

from typing import Any

import orjson
import pytest

from server.errors import NotJsonError, TooDeepError
from server.json_input import MOST_DEPTH, parse_json


def nested(levels: int, bracket: str) -> bytes:
    return (b"[" * levels + b"]" * levels) if bracket == "[" else (b'{"a":' * levels + b"1" + b"}" * levels)


@pytest.mark.parametrize("text", [b'{"a": [1, 2.5, true, null, "\xc3\xa4"]}', b" [] ", b'"text"', b"0"])
def test_json_is_parsed(text: bytes) -> None:
    assert parse_json(text) == orjson.loads(text)


@pytest.mark.requirement("IN-04")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"<Bundle/>", id="XML"),
        pytest.param(b'{"a": 1,}', id="trailing comma"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": Infinity}', id="Infinity"),
        pytest.param(b'{"a": 1e400}', id="a number beyond all"),
        pytest.param(b'{"a": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"a": "\x00"}', id="NUL"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"a": 1', id="cut off"),
        pytest.param(b'{"a": 1} {"b": 2}', id="two values"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_the_place(text: bytes) -> None:
    with pytest.raises(NotJsonError, match=r"line \d+, column \d+"):
        parse_json(text)


@pytest.mark.requirement("IN-03")
@pytest.mark.parametrize("bracket", ["[", "{"])
def test_depth_is_allowed_up_to_the_limit_and_not_beyond(bracket: str) -> None:
    parse_json(nested(MOST_DEPTH, bracket))
    with pytest.raises(TooDeepError, match="64 levels"):
        parse_json(nested(MOST_DEPTH + 1, bracket))


@pytest.mark.parametrize("levels", [100, 254, 255, 500, 1_000, 1_024, 1_025, 100_000])
def test_depth_is_refused_on_either_side_of_what_the_parser_itself_can_do(levels: int) -> None:
    with pytest.raises(TooDeepError):
        parse_json(nested(levels, "["))


def test_brackets_inside_strings_do_not_count() -> None:
    value: Any = {"text": "[" * 500 + "{" * 500}
    assert parse_json(orjson.dumps(value)) == value


def test_a_deep_part_beside_shallow_ones_is_noticed() -> None:
    with pytest.raises(TooDeepError):
        parse_json(b'{"a": 1, "b": ' + nested(MOST_DEPTH, "[") + b', "c": 1}')
