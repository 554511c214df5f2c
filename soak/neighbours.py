"""A client that sends five times what it may is told so; its neighbour is answered as if it had not (IN-14).

What a client may send costs its neighbours time: they share the processors. What it sends beyond that must cost them nearly none.
"""

from functools import partial
from pathlib import Path
from typing import Any

from soak.calls import mixed
from soak.ehr import Ehr, clients_toml, ehrs
from soak.load import Answered, Load, percentile, statuses
from soak.service import running

_OK, _TOO_MANY = 200, 429
_TIMES_TOO_LOUD = 5
_BURST_SECONDS = 5  # what a client that was silent may send at once, in seconds of its rate


def run(
    folder: Path, *, seconds: float = 40, rounds: int = 4, per_second: int = 10, times: float = 1.1, ms: float = 0
) -> dict[str, Any]:
    """Ask alone, beside somebody who keeps to what it may send, and beside the same when it is too loud; and again.

    Within a round the same calls are made at the same moments each time, so that what differs is the other client alone; and
    the rounds let a machine that is slower for a while be so for all three.

    Args:
        folder: for the service.
        seconds: how long each time of a round.
        rounds: how often.
        per_second: how many requests a client may send.
        times: how much longer the quiet client may wait for 95 % of its answers when the other one is too loud.
        ms: and how many milliseconds more.
    """
    loud, quiet = ehrs(2)
    registered = folder / "registered.toml"
    registered.write_text(clients_toml([loud, quiet], requests_per_second=per_second), "utf-8")
    alone, beside, flooding = list[Answered](), list[Answered](), list[Answered]()
    kept_to, flooded = list[Answered](), list[Answered]()
    with running(folder, [], workers=1, database="sqlite://", settings={"MYOSITIS_CDS_CLIENTS": str(registered)}) as service:
        Load(service.port, [quiet], mixed(0), rate=per_second).run(1)
        for number in range(1, rounds + 1):
            ask = partial(_ask, service.port, quiet, number, per_second, seconds)
            alone += ask()
            other = rounds + number  # a seed of its own, or its calls would meet those of the quiet one
            polite = Load(service.port, [loud], mixed(other), rate=per_second, seed=other)
            kept_to += polite.run(seconds + 60, meanwhile=lambda ask=ask: beside.extend(ask()))
            flood = Load(service.port, [loud], mixed(other), rate=_TIMES_TOO_LOUD * per_second, seed=other)
            flood.run(2)  # what it may send at once is sent and answered: that much everybody may
            flooded += flood.run(seconds + 60, meanwhile=lambda ask=ask: flooding.extend(ask()))
    let_in, refused = (statuses(flooded).get(status, 0) for status in (_OK, _TOO_MANY))
    most = rounds * (seconds + _BURST_SECONDS) * per_second
    is_held_back = set(statuses(flooded)) == {_OK, _TOO_MANY} and let_in <= most < refused
    is_held_back = is_held_back and set(statuses(kept_to)) == {_OK}
    times_heard = {"alone": alone, "beside one that keeps to its rate": beside, "beside one that sends five times that": flooding}
    before, after = (percentile(answers, 0.95) for answers in (beside, flooding))
    return {
        **{
            f"{when}, p{part} ms": round(percentile(heard, part / 100), 1)
            for when, heard in times_heard.items()
            for part in (50, 95)
        },
        "the quiet client's statuses": statuses([*alone, *beside, *flooding]),
        "the loud client's statuses": statuses(flooded),
        "kept": is_held_back and set(statuses([*alone, *beside, *flooding])) == {_OK} and after <= times * before + ms,
    }


def _ask(port: int, quiet: Ehr, number: int, rate: float, seconds: float) -> list[Answered]:
    """The quiet client's calls of a round: the same ones, at the same moments, whenever they are asked for."""
    return Load(port, [quiet], mixed(number), rate=rate, seed=number).run(seconds)
