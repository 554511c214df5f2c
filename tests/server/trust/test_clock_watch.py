"""A wrong clock is noticed before it locks everybody out."""

import logging
from collections.abc import Callable

import pytest
import time_machine

from server.observing.figures import REGISTRY
from server.trust.clock_watch import ClockWatch
from tests.server.logged import lines
from tests.server.trust.conftest import Service, Web
from tests.server.trust.ehrs import Ehr

NOW = 1_800_000_000.0


def warnings_of(ahead: dict[str, float], caplog: pytest.LogCaptureFixture) -> list[str]:
    watch = ClockWatch()
    with caplog.at_level(logging.WARNING, "myositis_cds.security"):
        for second in range(10):
            for client, seconds in ahead.items():
                watch.see(client, NOW + second + seconds, NOW + second)
    return lines(caplog)


@pytest.mark.requirement("JWT-20")
@pytest.mark.parametrize("ahead", [{"a": 30.0}, {"a": -30.0}, {"a": 0.0, "b": 0.0, "c": 59.0}])
def test_half_a_minute_or_one_client_alone_is_no_cause_for_alarm(
    ahead: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings_of(ahead, caplog) == []


@pytest.mark.requirement("JWT-20")
@pytest.mark.parametrize(("ahead", "seconds", "clients"), [({"a": 31.0}, 31, 1), ({"a": -45.0, "b": -40.0, "c": 0.0}, -40, 3)])
def test_a_clock_that_differs_from_most_is_said_once(
    ahead: dict[str, float], seconds: int, clients: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings_of(ahead, caplog) == [f"event=clock_differs seconds={seconds} clients={clients}"]


@pytest.mark.requirement("JWT-20")
def test_a_service_whose_clock_is_behind_says_so_while_it_still_accepts(
    serve: Callable[..., Service], web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    ehr = Ehr("hospital", "https://hospital.example/jwks.json")
    web.publish(ehr.jwks_url, ehr.jwks())
    service = serve(ehr.client())
    with time_machine.travel(NOW, tick=False):
        tokens = [ehr.token(now=NOW + 45) for _ in range(5)]
        with caplog.at_level(logging.WARNING, "myositis_cds.security"):
            assert {service.status(token) for token in tokens} == {200}
    assert "event=clock_differs seconds=45 clients=1" in lines(caplog)
    assert REGISTRY.get_sample_value("myositis_cds_jwt_iat_offset_seconds") == 45


@pytest.mark.requirement("JWT-20")
@pytest.mark.parametrize("wrong", [600, -600])
def test_a_service_whose_clock_refuses_everybody_knows_it_and_when_it_is_over(
    wrong: int, serve: Callable[..., Service], web: Web
) -> None:
    ehr = Ehr("hospital", "https://hospital.example/jwks.json")
    web.publish(ehr.jwks_url, ehr.jwks())
    service = serve(ehr.client())
    with time_machine.travel(NOW, tick=False):
        tokens = [ehr.token(now=NOW + wrong) for _ in range(5)]
        forged = [token[:-8] + "AAAAAAAA" for token in tokens]
        assert {service.status(token) for token in forged} == {401}
        assert not service.runtime.gate.clock_watch.differs, "anybody could say so"
        assert {service.status(token) for token in tokens} == {401}
        assert service.runtime.gate.clock_watch.differs
        assert {service.status(ehr.token(now=NOW)) for _ in range(20)} == {200}
        assert not service.runtime.gate.clock_watch.differs
