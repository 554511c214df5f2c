"""Several processes and one refresh token: what the others do while one renews, and when its renewal fails or comes too late."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.smart.grant import Grant
from server.smart.launches import GRANT, Launches
from server.smart.sessions import Session
from server.smart.stops import StopError
from server.store.database import IN_MEMORY, open_database
from tests.server.logged import text
from tests.server.smart.ehr import Ehr, running
from tests.server.smart.eight_refreshes import SEALER, endpoint_of

Open = Callable[[int], Session]


@pytest.fixture(scope="module")
def served() -> Iterator[Ehr]:
    """An EHR that knows us by a secret."""
    with running(Ehr()) as one:
        yield one


@pytest.fixture
def ehr(served: Ehr) -> Ehr:
    """The same, with a refresh token that is good."""
    served.refresh_tokens = {"first"}
    served.revoked.clear()
    served.forms.clear()
    return served


@pytest.fixture
def opened(ehr: Ehr) -> Iterator[Open]:
    """Opens a session whose token is good for so many seconds."""
    launches = Launches(open_database(IN_MEMORY), SEALER)

    def opens(seconds: int) -> Session:
        _, before = launches.begin("ehr", "state", {"base": ""}, is_standalone=False)
        begun = launches.answered("state", lambda _: before)
        assert begun is not None
        expires = int(time.time()) + seconds
        grant = Grant(access_token="old", expires_at=expires, scope="openid", patient="p1", refresh_token="first")
        cookie = launches.open(begun, {GRANT: grant.as_json()})
        launch = launches.find(begun.id, cookie)
        assert launch is not None
        return Session(launch, launches, endpoint_of(ehr.base), lambda _: pytest.fail("it waited"))

    yield opens
    launches.database.dispose()


def renewed_by_another(session: Session) -> None:
    """What another process writes when it has a new token."""
    holds = session.launch.holds
    new = {**holds, GRANT: {**holds[GRANT], "access_token": "theirs", "refresh_token": "second"}}
    assert session.launches.refreshed(session.launch, new)


@pytest.mark.requirement("SM-11")
def test_while_another_renews_a_token_that_is_still_good_is_used(opened: Open) -> None:
    session = opened(30)
    assert session.launches.claim_refresh(session.launch)
    assert session.fresh().grant.access_token == "old"


@pytest.mark.requirement("SM-11")
@pytest.mark.parametrize(("seconds", "renew"), [(-30, Session.fresh), (30, Session.renewed)], ids=["over", "refused"])
def test_who_needs_the_new_token_waits_for_it(opened: Open, seconds: int, renew: Callable[[Session], Session]) -> None:
    session = opened(seconds)
    assert session.launches.claim_refresh(session.launch)
    waiting = Session(session.launch, session.launches, session.endpoint, lambda _: renewed_by_another(session))
    assert renew(waiting).grant.access_token == "theirs"


@pytest.mark.requirement("SM-11")
def test_when_the_other_fails_for_now_nobody_waits_on(opened: Open) -> None:
    session = opened(-30)
    assert session.launches.claim_refresh(session.launch)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        session.launches.refreshed(session.launch, None)

    with pytest.raises(StopError) as stop:
        Session(session.launch, session.launches, session.endpoint, wait).fresh()
    assert (stop.value.stop.number, len(waits)) == ("MYO-1711", 1)


@pytest.mark.requirement("SM-11")
@pytest.mark.parametrize("is_reuse_refused", [False, True])
def test_a_process_that_is_overtaken_takes_the_others_token_and_gives_nothing_back(
    opened: Open, ehr: Ehr, is_reuse_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, answer = opened(-30), ehr.answer

    def overtaken(*request: Any) -> Any:
        renewed_by_another(session)
        return (400, {}, {"error": "invalid_grant"}) if is_reuse_refused else answer(*request)

    monkeypatch.setattr(ehr, "answer", overtaken)
    assert session.fresh().grant.access_token == "theirs"
    assert ehr.revoked == []


@pytest.mark.requirement("SM-11", "SM-13")
def test_a_token_that_comes_after_the_user_has_left_is_given_back(
    opened: Open, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, answer = opened(-30), ehr.answer

    def left(*request: Any) -> Any:
        session.launches.end(session.launch)
        return answer(*request)

    monkeypatch.setattr(ehr, "answer", left)
    revoked: list[str] = []
    monkeypatch.setattr(type(session.endpoint), "revoke", lambda self, token, kind: revoked.append(kind))
    with pytest.raises(StopError, match="MYO-1709"):
        session.fresh()
    assert revoked == ["refresh_token", "access_token"]


@pytest.mark.requirement("SM-09")
def test_a_renewal_for_another_patient_ends_the_session_and_is_told(
    opened: Open, ehr: Ehr, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session, answer = opened(-30), ehr.answer

    def another(*request: Any) -> Any:
        status, headers, body = answer(*request)
        return status, headers, body | {"patient": "somebody-else"}

    monkeypatch.setattr(ehr, "answer", another)
    with pytest.raises(StopError, match="MYO-1709"):
        session.fresh()
    assert "event=refresh_refused reason=another-patient client=ehr" in text(caplog)
    assert "somebody-else" not in caplog.text
