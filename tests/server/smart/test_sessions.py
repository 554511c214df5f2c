"""A session: renewed in time, by one alone; ended by idleness, by its age, by the user and by the EHR."""

import re
import time
from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import Engine, event, select, update
from time_machine import Traveller as Moved

from server.smart.grant import Grant
from server.smart.launches import Launches
from server.smart.sealing import Sealer
from server.store.purging import purge
from server.store.tables import smart_launches
from tests.server.smart.conftest import Browser, Service, Start
from tests.server.smart.ehr import Ehr, running
from tests.server.store.processes import python
from tests.server.store.rows import count

MINUTE, HOUR = 60, 3600
SEALER = Sealer({"1": b"k" * 32})


@pytest.fixture
def clock() -> Iterator[Moved]:
    """The time, to be moved."""
    with time_machine.travel(1_800_000_000, tick=False) as moved:
        yield moved


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    """An EHR with the chart of a patient about whom there is little to say: the page is soon made."""
    with running(Ehr(patient="healthy")) as one:
        yield one


def refreshes(ehr: Ehr) -> int:
    return sum(form["grant_type"] == "refresh_token" for form in ehr.forms)


def token_of(page: str) -> str:
    (found,) = re.findall(r'name="form_token" value="([0-9a-f]{64})"', page)
    return str(found)


# --- renewed


@pytest.mark.requirement("SM-11")
def test_a_token_is_renewed_a_minute_before_it_ends_and_not_sooner(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    clock.shift(239)  # of 300 seconds
    assert (browser.get(path).status_code, refreshes(ehr)) == (200, 0)
    clock.shift(2)
    assert (browser.get(path).status_code, refreshes(ehr)) == (200, 1)
    assert (browser.get(path).status_code, refreshes(ehr)) == (200, 1)
    clock.shift(5 * MINUTE)
    assert (browser.get(path).status_code, refreshes(ehr)) == (200, 2)
    used = [form["refresh_token"] for form in ehr.forms if form["grant_type"] == "refresh_token"]
    assert len(set(used)) == 2  # each once: the EHR gives a new one every time


@pytest.mark.requirement("SM-11")
def test_a_token_that_the_ehr_takes_back_is_renewed_once_and_then_asked_for_again(browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    ehr.valid.clear()
    assert (browser.get(path).status_code, refreshes(ehr)) == (200, 1)
    ehr.fhir = dict.fromkeys(("Patient", "Condition", "Observation"), 401)
    held = {*ehr.refresh_tokens, *ehr.valid}
    page = browser.get(path)
    assert (page.status_code, refreshes(ehr)) == (401, 2)
    assert len(ehr.revoked) == 2
    assert (ehr.refresh_tokens, ehr.valid) == (set(), set())
    assert held.isdisjoint(ehr.revoked)  # those had been renewed
    assert "MYO-1709" in page.text
    assert browser.get(path).status_code == 401
    assert refreshes(ehr) == 2


@pytest.mark.requirement("SM-11")
def test_a_refresh_token_that_was_taken_back_ends_the_session(browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    ehr.valid.clear()
    ehr.refresh_tokens.clear()
    assert browser.get(path).status_code == 401
    asked = len(ehr.asked)
    assert browser.get(path).status_code == 401
    assert len(ehr.asked) == asked


def test_an_ehr_that_is_silent_about_a_renewal_does_not_end_the_session(
    clock: Moved, browser: Browser, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = browser.open(ehr)
    clock.shift(245)
    answer = ehr.answer
    monkeypatch.setattr(ehr, "answer", lambda *one: (503, {}, {}) if one[1] == "/token" else answer(*one))
    assert browser.get(path).status_code == 200  # the token is good for some seconds yet
    clock.shift(60)
    assert browser.get(path).status_code == 502
    monkeypatch.setattr(ehr, "answer", answer)
    assert browser.get(path).status_code == 200


def test_without_a_refresh_token_a_session_ends_with_its_token(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    ehr.response = {"refresh_token": None}
    path = browser.open(ehr)
    clock.shift(290)
    assert browser.get(path).status_code == 200
    clock.shift(20)
    assert browser.get(path).status_code == 401


# --- ended


@pytest.mark.requirement("SM-13")
def test_a_session_ends_after_a_quarter_of_an_hour_without_use(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    for _ in range(3):
        clock.shift(14 * MINUTE)
        assert browser.get(path).status_code == 200
    clock.shift(15 * MINUTE)
    page = browser.get(path)
    assert page.status_code == 401
    assert "Open the app again from the chart" in page.text
    assert "/smart/launch?iss=" not in page.text


@pytest.mark.requirement("SM-13")
def test_a_session_ends_after_eight_hours_however_busy(database: Engine) -> None:
    now = [1_800_000_000]
    launches = Launches(database, SEALER, clock=lambda: now[0])
    _, before = launches.begin("ehr", "state", {}, is_standalone=False)
    begun = launches.answered("state", lambda _: before)
    assert begun is not None
    cookie = launches.open(begun, {"grant": {}})
    for _ in range(8 * HOUR // (10 * MINUTE) - 1):
        now[0] += 10 * MINUTE
        found = launches.find(begun.id, cookie)
        assert found is not None
        assert not found.has_ended
        launches.used(found)
    now[0] += 10 * MINUTE
    found = launches.find(begun.id, cookie)
    assert found is None or found.has_ended


@pytest.mark.requirement("SM-02", "SM-13")
def test_a_launch_must_be_finished_within_ten_minutes(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    callback = browser.authorize(browser.begin(ehr))
    clock.shift(10 * MINUTE)
    assert browser.get(callback).status_code == 400
    assert ehr.forms == []


@pytest.mark.requirement("SM-13")
def test_after_a_session_without_a_chart_another_patient_can_be_chosen(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr, None)
    clock.shift(HOUR)
    (again,) = re.findall(r'href="(/smart/launch\?[^"]*)"', browser.get(path).text)
    assert browser.get(again).status_code == 303


@pytest.mark.requirement("SM-13", "SM-07")
def test_what_has_ended_is_not_in_the_database_any_more(clock: Moved, service: Service, ehr: Ehr) -> None:
    browser = service.browser()
    first, second = browser.open(ehr), browser.open(ehr)
    clock.shift(15 * MINUTE)
    browser.get(first)
    with service.runtime.database.connect() as connection:
        sealed = dict(connection.execute(select(smart_launches.c.id, smart_launches.c.sealed)).all())
    assert sealed[first.rpartition("/")[2]] == ""
    assert sealed[second.rpartition("/")[2]] != ""
    browser.begin(ehr)  # on the way, what others left is forgotten too
    with service.runtime.database.connect() as connection:
        assert [one for one in connection.execute(select(smart_launches.c.sealed)).scalars() if one][1:] == []
    clock.shift(8 * HOUR)
    assert purge(service.runtime.database, now=1_800_000_000 + 9 * HOUR, keep_days=1, keep_comments_days=1).smart_launches == 3
    assert count(service.runtime.database, smart_launches) == 0


# --- left


@pytest.mark.requirement("SM-13")
def test_whoever_leaves_gives_the_tokens_back(browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    held = (*ehr.refresh_tokens, *ehr.valid)
    page = browser.leave(path, token_of(browser.get(path).text), Origin="http://127.0.0.1:8000")
    assert page.status_code == 200
    assert sorted(ehr.revoked) == sorted(held)
    assert "Max-Age=0" in page.headers["Set-Cookie"]
    assert browser.get(path).status_code == 401


@pytest.mark.requirement("SM-13")
def test_leaving_one_patient_leaves_the_other_open(browser: Browser, ehr: Ehr) -> None:
    first, second = browser.open(ehr), browser.open(ehr)
    browser.leave(first, token_of(browser.get(first).text), Origin="http://127.0.0.1:8000")
    assert (browser.get(first).status_code, browser.get(second).status_code) == (401, 200)


OURS = {"Origin": "http://127.0.0.1:8000"}
FORMS = [
    pytest.param(OURS, True, id="from our page"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True, id="from our page, which sends no referrer"),
    pytest.param({"Sec-Fetch-Site": "same-origin"}, True, id="from our page, without an origin"),
    pytest.param({}, False, id="from nowhere"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False, id="from a sandboxed frame"),
    pytest.param({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, False, id="from elsewhere"),
    pytest.param({"Origin": "http://127.0.0.1:8001", "Sec-Fetch-Site": "same-site"}, False, id="from another port"),
    pytest.param({"Origin": "http://127.0.0.1:8000.evil.example"}, False, id="from a name like ours"),
]


@pytest.mark.requirement("SM-08")
@pytest.mark.parametrize(("headers", "is_taken"), FORMS)
def test_a_form_must_come_from_our_page(browser: Browser, ehr: Ehr, headers: dict[str, str], is_taken: bool) -> None:
    path = browser.open(ehr)
    response = browser.leave(path, token_of(browser.get(path).text), **headers)
    assert response.status_code == (200 if is_taken else 403)
    assert browser.get(path).status_code == (401 if is_taken else 200)


@pytest.mark.requirement("SM-08")
def test_our_own_name_may_be_spelled_as_one_likes(start: Start, ehr: Ehr) -> None:
    browser = start(ehr, public_url="http://LOCALHOST:8000").browser()
    path = browser.open(ehr)
    token = token_of(browser.get(path).text)
    assert browser.leave(path, token, Origin="http://localhost:8001").status_code == 403
    assert browser.leave(path, token, Origin="http://localhost:8000").status_code == 200


@pytest.mark.requirement("SM-08", "SM-09")
def test_a_form_must_carry_the_token_of_its_own_launch(browser: Browser, ehr: Ehr) -> None:
    first, second = browser.open(ehr), browser.open(ehr)
    for token in ("", "0" * 64, "ü", token_of(browser.get(second).text)):
        assert browser.leave(first, token, **OURS).status_code == 403
    assert browser.get(first).status_code == 200


@pytest.mark.requirement("IN-15")
def test_a_form_of_more_than_64_kibibytes_is_not_read(browser: Browser, ehr: Ehr) -> None:
    path = browser.open(ehr)
    assert browser.leave(path, "x" * 65_536, **OURS).status_code == 413
    assert browser.get(path).status_code == 200


# --- keys


def test_a_session_whose_key_is_gone_has_ended(start: Start, ehr: Ehr, database: Engine) -> None:
    """Whoever keeps no file with the key begins anew with every process."""
    url = database.url.render_as_string(hide_password=False)
    browser = start(ehr, database_url=url).browser()
    path = browser.open(ehr)
    other = start(ehr, database_url=url).browser()
    for cookie in browser.client._cookies.values():  # type: ignore[attr-defined]
        other.client.set_cookie(cookie.key, cookie.value)
    assert (other.get(path).status_code, browser.get(path).status_code) == (401, 200)


@pytest.mark.requirement("SM-07")
def test_what_is_sealed_for_one_launch_opens_no_other(service: Service, ehr: Ehr) -> None:
    browser = service.browser()
    first, second = (browser.open(ehr).rpartition("/")[2] for _ in range(2))
    with service.runtime.database.begin() as connection:
        sealed = connection.execute(select(smart_launches.c.sealed).where(smart_launches.c.id == first)).scalar_one()
        connection.execute(update(smart_launches).where(smart_launches.c.id == second).values(sealed=sealed))
    assert browser.get(f"/smart/patient/{second}").status_code == 401


def test_launches_of_two_processes_are_found_by_both(database: Engine) -> None:
    """With a file of keys, any process answers for any launch."""
    one, other = Launches(database, SEALER), Launches(database, SEALER)
    launch, cookie = one.begin("ehr", "state", {"grant": {}}, is_standalone=False)
    found = other.answered("state", lambda _: cookie)
    assert found is not None
    assert found.id == launch
    assert one.answered("state", lambda _: cookie) is None


@pytest.mark.requirement("SM-11")
def test_of_eight_processes_that_want_a_new_token_one_asks_for_it_and_all_have_it(database: Engine, ehr: Ehr) -> None:
    launches, now = Launches(database, SEALER), int(time.time())
    launch_id, before = launches.begin("ehr", "state", {}, is_standalone=False)
    begun = launches.answered("state", lambda _: before)
    assert begun is not None
    ehr.refresh_tokens.add("first")
    grant = Grant(access_token="old", expires_at=now + 30, scope="openid", patient="p1", refresh_token="first")
    cookie = launches.open(begun, {"grant": grant.as_json()})
    url = database.url.render_as_string(hide_password=False)
    result = python("-m", "tests.server.smart.eight_refreshes", url, ehr.base, launch_id, cookie)
    assert (result.returncode, result.stderr) == (0, "")
    assert [form["refresh_token"] for form in ehr.forms] == ["first"]
    assert result.stdout.split() == [*ehr.valid] * 8


@pytest.mark.requirement("SM-13")
def test_a_browser_loses_the_cookies_of_launches_that_have_ended_and_no_others(clock: Moved, browser: Browser, ehr: Ehr) -> None:
    ended = browser.open(ehr)
    clock.shift(20 * MINUTE)
    still_open, waiting = browser.open(ehr), browser.begin(ehr)
    browser.begin(ehr)
    names = {cookie.key.removeprefix("myositis-cds-launch-") for cookie in browser.client._cookies.values()}  # type: ignore[attr-defined]
    assert ended.rpartition("/")[2] not in names
    assert still_open.rpartition("/")[2] in names
    assert browser.get(browser.finish(waiting)).status_code == 200


@pytest.mark.requirement("SM-13", "IN-15")
def test_made_up_cookies_cost_one_look_and_few_headers(service: Service, ehr: Ehr) -> None:
    """A browser sends what any page below our name has set."""
    made_up = "; ".join(f"myositis-cds-launch-{number:022}=x" for number in range(3000))
    statements: list[str] = []
    event.listen(service.runtime.database, "before_cursor_execute", lambda *told: statements.append(told[2]))
    client = service.app.test_client(use_cookies=False)
    query = {"iss": ehr.base, "launch": "xyz"}
    response = client.get("/smart/launch", query_string=query, headers={"Cookie": made_up})
    assert (response.status_code, len(response.headers.getlist("Set-Cookie"))) == (303, 51)
    assert sum("SELECT smart_launches" in one and "browser" in one for one in statements) == 1
    statements.clear()
    assert client.get("/smart/patient", headers={"Cookie": made_up}).status_code == 200
    assert len(statements) == 1
