"""`Server-Timing`: what the parts of a request took, in a form that browsers read."""

import re

import pytest

from server.application import create_app
from server.stopwatch import Stopwatch, server_timing
from tests.server.charts import dermatomyositis, hook_call
from tests.server.conftest import CONFIG

# https://www.w3.org/TR/server-timing/: names are tokens of HTTP, and a duration is a number.
METRIC = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+;dur=\d+(\.\d+)?"
HEADER = re.compile(rf"{METRIC}(, {METRIC})*")


def test_parts_are_added_up_in_the_order_in_which_they_came_first() -> None:
    ticks = iter([0.0, 1.0, 1.0, 3.0, 3.0, 6.0])
    watch = Stopwatch(lambda: next(ticks))
    for part in ("store", "fetch", "store"):
        with watch.time(part):
            pass
    watch.add({"read": 0.5, "fetch": 0.5})
    assert list(watch.seconds.items()) == [("store", 4.0), ("fetch", 2.5), ("read", 0.5)]


def test_a_part_counts_also_where_it_ends_in_an_error() -> None:
    ticks = iter([0.0, 1.0])
    watch = Stopwatch(lambda: next(ticks))
    with pytest.raises(KeyError), watch.time("store"):
        raise KeyError
    assert watch.seconds == {"store": 1.0}


@pytest.mark.parametrize("seconds", [0.0, 0.00000123, 0.25, 12345.678])
def test_durations_are_milliseconds_without_an_exponent(seconds: float) -> None:
    header = server_timing({"store": seconds})
    assert HEADER.fullmatch(header)
    assert float(header.partition("dur=")[2]) == pytest.approx(seconds * 1000, abs=0.005)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cds-services/myositis-patient-view", hook_call("p1", dermatomyositis())),
        ("/cds-services/myositis-patient-view/feedback", {"feedback": []}),
        ("/assess", dermatomyositis()["conditions"]),
    ],
)
def test_every_answer_that_took_work_has_a_header_that_can_be_read(path: str, body: object) -> None:
    response = create_app(CONFIG).test_client().post(path, json=body)
    assert response.status_code == 200
    assert HEADER.fullmatch(response.headers["Server-Timing"])
