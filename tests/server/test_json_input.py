"""Strict JSON: what is refused, and where the limit of depth lies."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.errors import NotJsonError, RepeatedMemberError, TooDeepError
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


# --- a member twice

NAMES = st.sampled_from(["a", "b", ":", "a:", "\\\\", '"', "::", "\u003a"])
TEXTS = st.text(alphabet=':\\\\"u03aA{},[] ', max_size=8)
Members = list[tuple[str, Any]]


def spelled(value: Any, escaped: bool) -> str:
    """A text as JSON, perhaps with every letter escaped; the hexadecimal digits in capitals or not."""
    if not escaped:
        return json.dumps(value)
    return '"' + "".join(f"\\u{ord(letter):04{'xX'[number % 2]}}" for number, letter in enumerate(value)) + '"'


def texts() -> st.SearchStrategy[str]:
    """JSON of objects in objects whose members may be there twice."""
    words = st.builds(spelled, TEXTS, st.booleans())
    names = st.builds(spelled, NAMES, st.booleans())
    return st.recursive(
        words | st.sampled_from(["1", "-2.5e3", "null", "true", "[]", "{}"]),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
            | st.lists(st.tuples(names, inner), max_size=4).map(lambda some: "{" + ",".join(f"{n} : {v}" for n, v in some) + "}")
        ),
        max_leaves=12,
    )


def has_a_member_twice(text: str) -> bool:
    """As the parser of the standard library sees it, which shows every member."""
    found = []

    def see(members: Members) -> dict[str, Any]:
        found.append(len(members) != len(dict(members)))
        return dict(members)

    json.loads(text, object_pairs_hook=see)
    return any(found)


@pytest.mark.requirement("IN-04")
@example('{"patientId": "1", "patientId": "2"}')
@example('{"a": {"b": [{"c": 1, "d": 2, "c": 1}]}}')
@example('{"patientId": "1", "\\u0070atientId": "2"}')
@example('{"a": "1", "a": "\\u003a"}')
@example('{"a": "\\u003A", "a": ":"}')
@example('{"a": ":", "a": "\\\\u003a"}')
@example('{"a": "\\\\u003a"}')
@example('{"a": {"b": 1}, "c": {"b": 1}}')
@given(texts())
def test_a_member_given_twice_is_refused_and_nothing_else_is(text: str) -> None:
    if has_a_member_twice(text):
        with pytest.raises(RepeatedMemberError, match="twice"):
            parse_json(text.encode())
    else:
        assert parse_json(text.encode()) == json.loads(text)


def test_both_kinds_of_text_come_about() -> None:
    kinds = set()

    @given(texts())
    def see(text: str) -> None:
        kinds.add(has_a_member_twice(text))

    see()
    assert kinds == {True, False}
