"""A client that sends five times what it may is told so; its neighbour, at the same address, is answered as before (IN-14)."""

from pathlib import Path
from typing import Any

from soak.calls import mixed
from soak.ehr import clients_toml, ehrs
from soak.load import Answered, Load, percentile, statuses
from soak.service import running

_OK, _TOO_MANY = 200, 429
_BURST_SECONDS = 5  # what a client that was silent may send at once, in seconds of its rate


def run(folder: Path, *, seconds: float = 120, per_second: int = 10, times: float = 1.1, ms: float = 0) -> dict[str, Any]:
    """Ask alone, and ask beside somebody who is too loud.

    Args:
        folder: for the service.
        seconds: how long, alone and beside.
        per_second: how many requests a client may send.
        times: how much longer the quiet client may wait for 95 % of its answers.
        ms: and how many milliseconds more.
    """
    loud, quiet = ehrs(2)
    registered = folder / "registered.toml"
    registered.write_text(clients_toml([loud, quiet], requests_per_second=per_second), "utf-8")
    with running(folder, [], workers=1, database="sqlite://", settings={"MYOSITIS_CDS_CLIENTS": str(registered)}) as service:
        ask = Load(service.port, [quiet], mixed(1), rate=per_second)
        ask.run(1)
        alone = ask.run(seconds)
        flood, beside = Load(service.port, [loud], mixed(2), rate=5 * per_second), list[Answered]()
        flood.run(2)  # what it may send at once is sent and answered: that much everybody may
        flooded = flood.run(seconds + 60, meanwhile=lambda: beside.extend(ask.run(seconds)))
    let_in, refused = (statuses(flooded).get(status, 0) for status in (_OK, _TOO_MANY))
    is_held_back = set(statuses(flooded)) == {_OK, _TOO_MANY} and let_in <= (seconds + _BURST_SECONDS) * per_second < refused
    before, after = (percentile(answers, 0.95) for answers in (alone, beside))
    return {
        "alone, p50 ms": round(percentile(alone, 0.5), 1),
        "beside, p50 ms": round(percentile(beside, 0.5), 1),
        "alone, p95 ms": round(before, 1),
        "beside, p95 ms": round(after, 1),
        "the quiet client's statuses": statuses([*alone, *beside]),
        "the loud client's statuses": statuses(flooded),
        "kept": is_held_back and set(statuses([*alone, *beside])) == {_OK} and after <= times * before + ms,
    }
