"""Bodies that are nearly right: calls, feedback and charts in which hypothesis has changed a few things, or a few bytes."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

from hypothesis import strategies as st

from soak.calls import SERVICES, Call, bodies, feedback

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

STRANGE: tuple[Any, ...] = (
    None,
    True,
    "",
    [],
    {},
    [[]],
    [None],
    0,
    -1,
    2**63,
    10**400,
    -0.0,
    1e308,
    0.1,
    "Patient/",
    "0000-00-00",
    "9999-12-31T99:99:99Z",
    "\u202e\u0000\u200b",
    "\U0010ffff" * 9,
    "x" * 70_000,
    "../../etc/passwd",
    "https://127.0.0.1:1/?x=%00",
    "{{context.patientId}}",
    "![](//evil.example)",
    "=1+1",
    [[[[[[[[[[[]]]]]]]]]]],
    {"resourceType": "Bundle"},
    {"resourceType": 7},
    {"coding": [{"code": []}]},
    {"value": "NaN", "unit": {}},
    {"reference": "#"},
    {"reference": {"reference": "Patient/1"}},
)
"""What is put where something else belongs."""
TEXTS = st.text(max_size=20)
_BYTES = (
    b"\x00",
    b"\xff",
    b"\\ud800",
    b'"',
    b"{",
    b"]",
    b",",
    b"NaN",
    b"1e999",
    b'"hook":1,',
    b"\xef\xbb\xbf",
    b"\\u0000",
    b"/**/",
)


@st.composite
def mutated(draw: Draw) -> Call:
    """One request with a body that is nearly right."""
    call = draw(_right_ones())
    value = json.loads(call.body)
    for _ in range(draw(st.integers(0, 4))):
        value = _changed(draw, value)
    body = json.dumps(value).encode()
    if draw(st.integers(0, 3)) == 0:
        for _ in range(draw(st.integers(1, 3))):
            body = _cut(draw, body)
    return Call(call.kind, call.path, body)


@cache
def _right_ones() -> st.SearchStrategy[Call]:
    """Bodies as they should be: of every patient for every hook, as a chart, and feedback."""
    hooks = [Call(hook, f"{SERVICES}-{hook}", body) for of_patient in bodies().values() for hook, body in of_patient.items()]
    views = [json.loads(call.body)["prefetch"] for call in hooks if call.kind == "patient-view"]
    charts = [Call("assess", "/assess", json.dumps([part for part in one.values() if part]).encode()) for one in views]
    return st.sampled_from([*hooks, *charts, *[feedback("00000000-0000-4000-8000-000000000000")] * (len(hooks) // 3)])


def _changed(draw: Draw, root: Any) -> Any:
    """The same value with one place in it changed."""
    path = _path(draw, root)
    if not path:
        return _strange(draw)
    holder = root
    for step in path[:-1]:
        holder = holder[step]
    last, value = path[-1], holder[path[-1]]
    match draw(st.sampled_from(("replace", "remove", "wrap", "add", "other", "text"))):
        case "replace":
            holder[last] = _strange(draw)
        case "remove":
            del holder[last]
        case "wrap":
            holder[last] = [value, value]
        case "add" if isinstance(holder, dict):
            holder[draw(TEXTS)] = value
        case "text":
            holder[last] = draw(TEXTS)
        case _:
            holder[last] = str(value) if not isinstance(value, str) else {value[:9]: value}
    return root


def _strange(draw: Draw) -> Any:
    """One of them; a copy, since it may be changed in its turn."""
    return deepcopy(draw(st.sampled_from(STRANGE)))


def _path(draw: Draw, value: Any) -> list[Any]:
    """Steps from the root to somewhere."""
    steps: list[Any] = []
    while isinstance(value, dict | list) and value and (not steps or draw(st.integers(0, 7))):
        step = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        steps.append(step)
        value = value[step]
    return steps


def _cut(draw: Draw, body: bytes) -> bytes:
    """The same bytes with some put in, taken out, or nothing behind them."""
    place = draw(st.integers(0, len(body)))
    match draw(st.sampled_from(("insert", "remove", "end", "repeat"))):
        case "insert":
            return body[:place] + draw(st.sampled_from(_BYTES)) + body[place:]
        case "remove":
            return body[:place] + body[place + draw(st.integers(1, 9)) :]
        case "end":
            return body[:place]
        case _:
            return body[:place] + body[max(0, place - 40) :]
