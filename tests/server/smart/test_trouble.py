"""An EHR in trouble: what it says about signing in is asked for once, and nothing that the user wants waits for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from server.outbound.http import Answer, OutboundError
from server.smart import keys, token_endpoint
from server.smart.configuration import FAILED_SECONDS, FRESH_SECONDS, STALE_SECONDS, Configurations, SmartConfiguration
from server.smart.keys import SigningKeys, keys_of_this_process
from server.smart.launches import CLAIM_SECONDS
from server.smart.stops import StopError
from server.smart.token_endpoint import HARD_SECONDS, TokenEndpoint, TokenError
from server.store.tables import smart_launches
from server.trust.clients import Client, SmartRegistration
from tests.server.charts import Json
from tests.server.smart.conftest import Browser, Service, Start
from tests.server.smart.ehr import CLIENT_ID, SECRET, Ehr, running
from tests.server.smart.test_sessions import OURS, token_of
from tests.server.store.rows import column

BASE = "https://ehr.example/fhir"
SAFE: Json = {
    "code_challenge_methods_supported": ["S256"],
    "authorization_endpoint": f"{BASE}/authorize",
    "token_endpoint": f"{BASE}/token",
}


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """An EHR with the chart of a patient about whom there is little to say: the page is soon made."""
    with running(Ehr(patient="healthy")) as one:
        yield one


# --- our keys


@pytest.fixture
def unmade(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A process that has no keys yet, and makes short ones, since nobody waits for long ones here."""
    monkeypatch.setattr(keys, "_RSA_BITS", 2048)
    monkeypatch.setattr(keys, "_made", cache(keys._made.__wrapped__))
    return keys._made


@pytest.mark.requirement("SM-12")
def test_threads_that_want_keys_at_the_same_moment_get_the_same(unmade: Any) -> None:
    start = Barrier(4)

    def want(_: int) -> SigningKeys:
        start.wait()
        return keys_of_this_process()

    with ThreadPoolExecutor(4) as pool:
        assert len({id(one) for one in pool.map(want, range(4))}) == 1


@pytest.mark.requirement("SM-12")
def test_keys_are_made_before_the_first_request_where_the_app_is_registered(unmade: Any, start: Start, ehr: Ehr) -> None:
    start()
    assert unmade.cache_info().currsize == 0
    start(ehr)
    assert unmade.cache_info().currsize == 1


# --- what the EHR says about signing in


class Said:
    """An EHR that says something, or nothing; the clock stands beside it."""

    def __init__(self) -> None:
        self.document: Json | None = SAFE
        self.asked = 0
        self.now = 0.0
        self.configurations = Configurations(self.fetch, lambda: self.now)

    def fetch(self, url: str, **_: Any) -> Answer:
        self.asked += 1
        if self.document is None:
            Event().wait(0.05)  # so that all who ask at once do so while the first one waits
            raise OutboundError("timeout")
        return Answer(200, {}, orjson.dumps(self.document))

    def read(self) -> str:
        """The token endpoint, or why there is none."""
        try:
            return self.configurations.of(BASE, None).token_endpoint
        except StopError as error:
            return error.reason


@pytest.mark.requirement("OUT-05")
def test_twelve_launches_at_once_ask_a_dead_ehr_once_and_for_seconds_nobody_asks_again() -> None:
    said = Said()
    said.document = None
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(lambda _: said.read(), range(12))) == {"timeout"}
    assert said.asked == 1
    said.document, said.now = SAFE, FAILED_SECONDS - 1
    assert (said.read(), said.asked) == ("timeout", 1)
    said.now = FAILED_SECONDS
    assert (said.read(), said.asked) == (SAFE["token_endpoint"], 2)


def test_what_was_read_before_is_better_than_nothing_for_the_length_of_a_session() -> None:
    said = Said()
    assert said.read() == SAFE["token_endpoint"]
    said.document, said.now = None, FRESH_SECONDS
    assert (said.read(), said.read(), said.asked) == (SAFE["token_endpoint"], SAFE["token_endpoint"], 2)
    said.now = STALE_SECONDS
    assert said.read() == "timeout"


@pytest.mark.requirement("SM-03")
def test_what_was_safe_before_and_is_not_now_is_not_used() -> None:
    said = Said()
    said.read()
    said.document, said.now = SAFE | {"code_challenge_methods_supported": ["plain"]}, FRESH_SECONDS
    assert (said.read(), said.read()) == ("no-s256", "no-s256")


# --- a session whose EHR says nothing more about signing in


@pytest.fixture
def left_alone(start: Start, ehr: Ehr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Service, Browser, str]:
    """Another process with an open launch; it knows no configuration yet, and the EHR says none any more."""
    file = tmp_path / "session-keys"
    file.write_text("1" * 64)
    file.chmod(0o600)
    settings = {"database_url": f"sqlite:///{tmp_path / 'state.sqlite3'}", "session_key_file": file}
    first, second = start(ehr, **settings), start(ehr, **settings)
    browser = first.browser()
    path = browser.open(ehr)
    moved = second.browser()
    for cookie in browser.client._cookies.values():  # type: ignore[attr-defined]
        moved.client.set_cookie(cookie.key, cookie.value)
    answer = ehr.answer
    monkeypatch.setattr(ehr, "answer", lambda *one: (503, {}, {}) if ".well-known" in one[1] else answer(*one))
    return second, moved, path


@pytest.mark.requirement("SM-13")
def test_an_open_page_and_leaving_it_need_no_configuration(left_alone: tuple[Service, Browser, str], ehr: Ehr) -> None:
    service, browser, path = left_alone
    page = browser.get(path)
    assert page.status_code == 200
    assert browser.leave(path, token_of(page.text), **OURS).status_code == 200
    assert column(service.runtime.database, smart_launches, "sealed") == {""}
    assert browser.get(path).status_code == 401


@pytest.mark.requirement("SM-13")
def test_of_an_ehr_that_is_registered_no_more_nothing_is_kept(start: Start, ehr: Ehr, database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "session-keys"
    file.write_text("1" * 64)
    file.chmod(0o600)
    settings = {"database_url": database.url.render_as_string(hide_password=False), "session_key_file": file}
    browser, other = start(ehr, **settings).browser(), start(**settings).browser()
    path = browser.open(ehr)
    for cookie in browser.client._cookies.values():  # type: ignore[attr-defined]
        other.client.set_cookie(cookie.key, cookie.value)
    assert "MYO-1701" in other.get(path).text
    assert column(database, smart_launches, "sealed") == {""}


# --- a token endpoint that cannot be reached


@pytest.mark.requirement("SM-11", "OUT-05")
def test_a_token_endpoint_whose_name_is_looked_up_for_ever_is_left_long_before_another_process_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 2 * HARD_SECONDS < CLAIM_SECONDS
    found = Event()
    monkeypatch.setattr(token_endpoint, "HARD_SECONDS", 0.05)
    monkeypatch.setattr(token_endpoint, "post", lambda *arguments, **more: found.wait(20))
    ours = SmartRegistration(CLIENT_ID, "client_secret_basic", SECRET)
    configuration = SmartConfiguration(BASE, f"{BASE}/authorize", f"{BASE}/token")
    try:
        with pytest.raises(TokenError, match="timeout"):
            TokenEndpoint(lambda: configuration, Client("ehr"), ours, SigningKeys(())).refresh("token")
    finally:
        found.set()


@pytest.mark.requirement("IN-14", "SM-02")
def test_launches_are_counted_by_address_and_the_person_gets_a_page(start: Start, ehr: Ehr) -> None:
    service = start(ehr, requests_per_second=1)
    client = service.app.test_client()

    def launch() -> Any:
        query = {"iss": ehr.base, "launch": "xyz"}
        return client.get("/smart/launch", query_string=query, environ_base={"REMOTE_ADDR": "203.0.113.9"})

    answers = [launch() for _ in range(6)]
    assert [one.status_code for one in answers] == [303] * 4 + [429] * 2
    assert (answers[-1].mimetype, answers[-1].headers["Retry-After"]) == ("text/html", "1")
    assert "MYO-1715" in answers[-1].text
