"""A client that sends five times what it may is told so; its neighbour, at the same address, is answered as before (IN-14)."""

from pathlib import Path

import pytest

from soak.calls import mixed
from soak.ehr import clients_toml, ehrs
from soak.load import Load, percentile, statuses
from soak.service import running

MAY_SEND, SECONDS = 2, 4.0


@pytest.mark.slow
@pytest.mark.requirement("IN-14")
def test_whoever_sends_too_much_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    loud, quiet = ehrs(2)
    registered = tmp_path / "registered.toml"
    registered.write_text(clients_toml([loud, quiet], requests_per_second=MAY_SEND), "utf-8")
    with running(tmp_path, [], workers=1, database="sqlite://", settings={"MYOSITIS_CDS_CLIENTS": str(registered)}) as service:
        ask = Load(service.port, [quiet], mixed(1), rate=MAY_SEND)
        ask.run(1)
        alone = ask.run(SECONDS)
        flood, beside = Load(service.port, [loud], mixed(2), rate=5 * MAY_SEND), []
        flood.run(2)  # what it may send at once is sent and answered: that much everybody may
        flooded = flood.run(60, meanwhile=lambda: beside.extend(ask.run(SECONDS)))
    assert set(statuses(alone)) == set(statuses(beside)) == {200}
    assert set(statuses(flooded)) == {200, 429}
    assert statuses(flooded)[200] <= (SECONDS + 5) * MAY_SEND < statuses(flooded)[429]
    assert percentile(beside, 0.5) < 2 * percentile(alone, 0.5) + 250  # milliseconds, on a busy machine
