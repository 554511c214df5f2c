"""The keys of a client: fetched when needed, kept while they can be, and never asked for more than is decent."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from server.errors import UnauthorisedError
from server.outbound.http import Answer, OutboundError, get
from server.trust.clients import Client
from server.trust.keys import COOL_DOWN, GRACE, MOST_WAITING, SECONDS, STALE, ClientKeys
from tests.server.logged import lines, text
from tests.server.trust.conftest import Web
from tests.server.trust.ehrs import Ehr, Json, jwk, private_key
from tests.server.trust.jwks_server import JwksServer, jwks_server

EHR = Ehr("hospital", "https://hospital.example/jwks.json")


@dataclass
class Clock:
    """A clock that goes only when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Keys:
    """The keys of a client, with its clock; what is to be done in the background is done at once, or when the test wants it."""

    web: Web
    clock: Clock = field(default_factory=Clock)
    background: list[Callable[[], None]] = field(default_factory=list)
    at_once: bool = True
    keys: ClientKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = ClientKeys(EHR.client(), fetch=self.web.get, clock=self.clock, in_background=self.begin)

    def begin(self, work: Callable[[], None]) -> None:
        if self.at_once:
            work()
        else:
            self.background.append(work)

    def has(self, kid: str, algorithm: str = "ES384") -> bool:
        try:
            return self.keys.find(kid, algorithm).kid == kid
        except UnauthorisedError:
            return False

    def catch_up(self) -> None:
        """Do what was to be done in the background."""
        for work in self.background:
            work()
        self.background.clear()


def set_of(*kids: str) -> Json:
    return {"keys": [jwk(private_key("P-384", kid), kid=kid) for kid in kids]}


@pytest.fixture
def keys(web: Web) -> Keys:
    web.publish(EHR.jwks_url, set_of("old"))
    return Keys(web)


# --- rotation


@pytest.mark.requirement("J-19")
def test_a_set_is_fetched_once_for_many_tokens(keys: Keys) -> None:
    assert all(keys.has("old") for _ in range(10))
    assert keys.web.asked == [EHR.jwks_url]


@pytest.mark.requirement("J-19", "J-21", "JWT-05")
def test_a_new_key_is_found_by_its_first_token_once_the_cool_down_is_over(keys: Keys) -> None:
    assert keys.has("old")
    keys.web.publish(EHR.jwks_url, set_of("new"))
    keys.clock.now += COOL_DOWN - 1
    assert not keys.has("new")
    keys.clock.now += 1
    assert keys.has("new")
    assert not keys.has("old")
    assert len(keys.web.asked) == 2


@pytest.mark.requirement("J-21", "JWT-07")
def test_ten_thousand_unknown_keys_in_a_minute_cause_two_fetches(keys: Keys) -> None:
    assert keys.has("old")
    for number in range(10_000):
        keys.clock.now += 60 / 10_000
        assert not keys.has(f"unknown-{number}")
    assert len(keys.web.asked) <= 1 + 2


@pytest.mark.requirement("J-19", "JWT-05")
@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        pytest.param("", 300, id="nothing said: five minutes"),
        pytest.param("no-store", 300, id="not to be kept: five minutes all the same"),
        pytest.param("max-age=5", 300, id="too short"),
        pytest.param("public, Max-Age=600", 600, id="as said"),
        pytest.param('max-age="600"', 600, id="in quotation marks"),
        pytest.param("s-maxage=600", 300, id="for shared caches only"),
        pytest.param("max-age=99999999", 3600, id="too long"),
        pytest.param("max-age=" + "9" * 5000, 3600, id="far too long"),
        pytest.param("max-age=-1", 300, id="negative"),
        pytest.param("max-age=soon", 300, id="in words"),
    ],
)
def test_how_long_a_set_is_fresh_is_the_servers_choice_within_bounds(cache_control: str, seconds: int, web: Web) -> None:
    web.publish(EHR.jwks_url, set_of("old"), cache_control=cache_control)
    keys = Keys(web)
    assert keys.has("old")
    keys.at_once = False
    keys.clock.now += seconds - 1
    assert keys.has("old")
    assert keys.background == []
    keys.clock.now += 1
    assert keys.has("old")
    assert len(keys.background) == 1


@pytest.mark.requirement("J-19", "JWT-05")
def test_a_set_that_is_no_longer_fresh_is_fetched_again_in_the_background(keys: Keys) -> None:
    assert keys.has("old")
    keys.web.publish(EHR.jwks_url, set_of("old", "new"))
    keys.at_once = False
    keys.clock.now += 300 + GRACE - 1
    assert keys.has("old")
    assert len(keys.web.asked) == 1
    keys.catch_up()
    assert len(keys.web.asked) == 2
    assert keys.has("new")
    assert len(keys.web.asked) == 2


@pytest.mark.requirement("J-21", "JWT-05")
def test_a_key_that_was_taken_back_is_refused_once_the_next_fetch_has_ended(keys: Keys) -> None:
    assert keys.has("old")
    keys.web.publish(EHR.jwks_url, set_of("new"))
    keys.at_once = False
    keys.clock.now += 301
    assert keys.has("old")
    keys.catch_up()
    assert not keys.has("old")


@pytest.mark.requirement("J-21", "JWT-05")
@pytest.mark.parametrize("hours", [1, 23, 25])
def test_a_key_that_was_taken_back_does_not_open_the_door_after_a_quiet_time(hours: int, keys: Keys) -> None:
    assert keys.has("old")
    keys.web.publish(EHR.jwks_url, set_of("new"))
    keys.clock.now += hours * 3600
    assert not keys.has("old")
    assert keys.has("new")


@pytest.mark.requirement("J-21", "JWT-05", "JWT-06")
def test_nor_does_it_where_there_was_trouble_before_the_quiet_time(keys: Keys) -> None:
    assert keys.has("old")
    keys.web.answers.clear()
    keys.clock.now += 400
    assert keys.has("old"), "trouble: the keys stay"
    keys.web.publish(EHR.jwks_url, set_of("new"))
    keys.clock.now += 3600
    assert not keys.has("old")


@pytest.mark.requirement("J-19", "JWT-06")
def test_after_a_quiet_time_the_keys_that_are_still_there_are_found_by_all_who_come_at_once() -> None:
    clock, began, go_on = Clock(), threading.Event(), threading.Event()
    go_on.set()

    def slow(url: str, **options: Any) -> Answer:
        began.set()
        assert go_on.wait(10)
        return Answer(200, {}, _json(set_of("old")))

    keys = ClientKeys(EHR.client(), fetch=slow, clock=clock)
    assert keys.find("old", "ES384")
    keys.wait()  # its keys may be there a moment before the fetch has ended, and only then does the clock go on
    clock.now += 3600
    began.clear()
    go_on.clear()
    with ThreadPoolExecutor(16) as pool:
        finding = [pool.submit(keys.find, "old", "ES384") for _ in range(16)]
        assert began.wait(10)
        go_on.set()
        assert {future.result().kid for future in finding} == {"old"}


@pytest.mark.requirement("J-21", "JWT-05")
@pytest.mark.parametrize(
    "document", [{"keys": []}, {"keys": [{"kty": "oct", "k": "AQ", "kid": "old"}]}], ids=["empty", "no public key"]
)
def test_a_set_without_a_usable_key_takes_all_keys_back(document: Json, keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    assert keys.has("old")
    keys.web.publish(EHR.jwks_url, document)
    keys.clock.now += 301
    with caplog.at_level(logging.WARNING, "myositis_cds.security"):
        assert not keys.has("old")
    assert "event=jwk_set_without_usable_key client=hospital" in lines(caplog)
    assert keys.keys.is_empty


def test_the_keys_are_there_before_the_first_token(keys: Keys) -> None:
    keys.keys.warm()
    assert len(keys.web.asked) == 1
    assert keys.has("old")
    assert len(keys.web.asked) == 1


@pytest.mark.requirement("J-19", "J-21", "JWT-05")
def test_threads_that_need_an_unknown_key_at_once_share_one_fetch() -> None:
    began, go_on, asked = threading.Event(), threading.Event(), []
    document = Answer(200, {}, _json(set_of("new")))

    def slow(url: str, **options: Any) -> Answer:
        asked.append(url)
        began.set()
        assert go_on.wait(10)
        return document

    keys = ClientKeys(EHR.client(), fetch=slow)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        finding = [pool.submit(keys.find, "new", "ES384") for _ in range(MOST_WAITING)]
        assert began.wait(10)
        go_on.set()
        assert {future.result().kid for future in finding} == {"new"}
    assert len(asked) == 1


class Hanging:
    """A key server that answers once, and from then on not until it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = threading.Event()

    def get(self, url: str, **options: Any) -> Answer:
        self.asked += 1
        if self.asked > 1:
            assert self.go_on.wait(30)
            raise OutboundError("timeout")
        return Answer(200, {}, _json(set_of("old")))


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    server = Hanging()
    yield server
    server.go_on.set()


def outcome(keys: ClientKeys, kid: str) -> str:
    """What becomes of a token that names this key."""
    try:
        return keys.find(kid, "ES384").kid
    except UnauthorisedError as refusal:
        return refusal.reason


@pytest.mark.requirement("JWT-06")
def test_nobody_waits_for_a_known_key_while_its_set_is_being_fetched(hanging: Hanging) -> None:
    clock = Clock()
    keys = ClientKeys(EHR.client(), fetch=hanging.get, clock=clock)
    assert keys.find("old", "ES384")
    clock.now += 301
    with ThreadPoolExecutor(1) as pool:
        finding = pool.submit(lambda: [outcome(keys, "old") for _ in range(100)])
        assert set(finding.result(SECONDS - 1)) == {"old"}
    assert hanging.asked == 2


@pytest.mark.requirement("JWT-06", "JWT-07")
def test_made_up_keys_hold_few_threads_and_those_no_longer_than_a_fetch_may_take(hanging: Hanging) -> None:
    """Anybody can make such a token up, and looking up the name of a server cannot be interrupted (OUT-05)."""
    clock = Clock()
    keys = ClientKeys(EHR.client(), fetch=hanging.get, clock=clock)
    assert keys.find("old", "ES384")
    clock.now += COOL_DOWN
    with ThreadPoolExecutor(16) as pool:
        finding = [pool.submit(outcome, keys, f"made-up-{number}") for number in range(16)]
        ended, waiting = wait(finding, SECONDS / 2)
        assert (len(ended), len(waiting)) == (16 - MOST_WAITING, MOST_WAITING)
        assert outcome(keys, "old") == "old"
        ended, waiting = wait(finding, SECONDS)
        assert waiting == set()
        assert {future.result() for future in ended} == {"unknown-key"}
    assert hanging.asked == 2


@pytest.mark.requirement("JWT-06")
def test_after_a_quiet_time_the_known_keys_go_on_where_the_server_hangs(hanging: Hanging) -> None:
    clock = Clock()
    keys = ClientKeys(EHR.client(), fetch=hanging.get, clock=clock)
    assert keys.find("old", "ES384")
    clock.now += 23 * 3600
    with ThreadPoolExecutor(16) as pool:
        finding = [pool.submit(outcome, keys, "old") for _ in range(16)]
        ended, waiting = wait(finding, SECONDS + 2)
        assert waiting == set()
        assert {future.result() for future in ended} == {"old"}
        assert pool.submit(outcome, keys, "old").result(SECONDS / 2) == "old", "known to be in trouble, so nobody waits again"
    clock.now += 3600
    assert outcome(keys, "old") == "unknown-key"
    assert hanging.asked == 2


@pytest.mark.requirement("J-21", "JWT-07")
def test_the_cool_down_begins_when_a_fetch_has_ended(web: Web) -> None:
    clock, ended_at = Clock(), []

    def slow(url: str, **options: Any) -> Answer:
        clock.now += 10 * COOL_DOWN
        ended_at.append(clock.now)
        raise OutboundError("timeout")

    keys = ClientKeys(EHR.client(), fetch=slow, clock=clock, in_background=lambda work: work())
    assert outcome(keys, "any") == "unknown-key"
    clock.now += COOL_DOWN - 1
    assert outcome(keys, "any") == "unknown-key"
    assert len(ended_at) == 1


# --- readiness


@pytest.mark.requirement("JWT-06")
def test_a_quiet_day_is_no_trouble(keys: Keys) -> None:
    assert keys.keys.is_empty
    assert keys.has("old")
    keys.clock.now += STALE + 1
    assert not keys.keys.is_empty


@pytest.mark.requirement("JWT-06")
def test_a_day_of_trouble_leaves_nothing(keys: Keys) -> None:
    assert keys.has("old")
    keys.web.answers.clear()
    keys.clock.now += STALE - 1
    assert keys.has("old")
    assert not keys.keys.is_empty
    keys.clock.now += 1
    assert keys.keys.is_empty


@pytest.mark.requirement("J-19", "JWT-06")
def test_warming_again_fetches_only_what_is_missing_or_no_longer_fresh(keys: Keys) -> None:
    keys.web.answers.clear()
    keys.keys.warm()
    keys.web.publish(EHR.jwks_url, set_of("old"))
    keys.clock.now += COOL_DOWN - 1
    keys.keys.warm()
    assert keys.keys.is_empty
    keys.clock.now += 1
    keys.keys.warm()
    assert not keys.keys.is_empty
    keys.clock.now += 299
    keys.keys.warm()
    assert len(keys.web.asked) == 2
    keys.clock.now += 1
    keys.keys.warm()
    assert len(keys.web.asked) == 3


# --- trouble


def _json(document: Json) -> bytes:
    return json.dumps(document).encode()


BAD_ANSWERS = [
    pytest.param(Answer(500, {}, b"{}"), "status", id="500"),
    pytest.param(Answer(200, {}, b"<html>maintenance</html>"), "not-json", id="HTML"),
    pytest.param(Answer(200, {}, b""), "not-json", id="nothing"),
    pytest.param(Answer(200, {}, b"\xff"), "not-json", id="not UTF-8"),
    pytest.param(Answer(200, {}, b"[" * 100_000), "not-json", id="nested without end"),
    pytest.param(Answer(200, {}, b"{}"), "not-a-jwk-set", id="another object"),
    pytest.param(Answer(200, {}, b'{"keys": {}}'), "not-a-jwk-set", id="keys that are no list"),
    pytest.param(Answer(200, {}, _json({"keys": [{}] * 101})), "too-many-keys", id="too many keys"),
]


@pytest.mark.requirement("J-19", "JWT-06")
@pytest.mark.parametrize(("answer", "reason"), BAD_ANSWERS)
def test_a_bad_answer_leaves_the_keys_for_a_day(
    answer: Answer, reason: str, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    assert keys.has("old")
    fetched_at = keys.clock.now
    keys.web.answers[EHR.jwks_url] = answer
    keys.clock.now += 301
    with caplog.at_level(logging.WARNING, "myositis_cds.security"):
        assert keys.has("old")
    assert f"event=jwk_set_not_fetched client=hospital reason={reason}" in lines(caplog)
    keys.clock.now = fetched_at + STALE - 1
    assert keys.has("old")
    keys.clock.now = fetched_at + STALE
    assert not keys.has("old")


@pytest.mark.requirement("JWT-06")
def test_after_trouble_the_keys_are_asked_for_every_half_minute_until_they_come(keys: Keys) -> None:
    keys.web.answers.clear()
    assert not keys.has("old")
    keys.web.publish(EHR.jwks_url, set_of("old"))
    keys.clock.now += COOL_DOWN - 0.1
    assert not keys.has("old")
    keys.clock.now += 0.1
    assert keys.has("old")


@pytest.mark.requirement("J-19")
def test_keys_given_in_the_file_are_never_fetched(web: Web) -> None:
    keys = ClientKeys(Client("hospital", EHR.issuer, jwks=set_of("old")), fetch=web.get)
    keys.warm()
    assert keys.find("old", "ES384").kid == "old"
    with pytest.raises(UnauthorisedError):
        keys.find("new", "ES384")
    assert web.asked == []


@pytest.mark.requirement("JWT-02", "J-20")
def test_keys_that_cannot_be_used_are_left_out_and_the_log_says_why(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    weak = jwk(private_key("RSA-1024", "weak"), kid="weak")
    web.publish(EHR.jwks_url, {"keys": [*set_of("old")["keys"], weak, jwk(EHR.ec, kid="ec", d="AQAB")]})
    with caplog.at_level(logging.INFO, "myositis_cds.security"):
        assert Keys(web).has("old")
    assert lines(caplog) == [
        "event=jwk_set_fetched client=hospital keys=2 unusable=1",
        "event=jwk_not_usable client=hospital position=2 reason=rsa-length",
        "event=jwk_set_reveals_private_key client=hospital entries=1",
    ]


# --- over HTTP


@pytest.fixture(scope="module")
def server() -> Iterator[JwksServer]:
    with jwks_server() as running:
        yield running


def keys_at(url: str) -> ClientKeys:
    """Fetched in the thread that asks, so that what a test sees is the end of the exchange itself."""
    return ClientKeys(Client("hospital", EHR.issuer, url), fetch=get, in_background=lambda work: work())


def test_a_set_is_fetched_over_http(server: JwksServer) -> None:
    assert keys_at(server.publish("/right", set_of("old"))).find("old", "ES384")


@pytest.mark.requirement("J-19", "J-21", "JWT-05")
def test_keys_are_rotated_under_load_with_one_fetch(server: JwksServer) -> None:
    """As many threads as may wait; there are more of them only where a key is used before it was published."""
    clock, path = Clock(), "/rotated"
    url = server.publish(path, set_of("old"))
    keys = ClientKeys(Client("hospital", EHR.issuer, url), fetch=get, clock=clock)
    assert keys.find("old", "ES384")
    server.publish(path, set_of("old", "new"))
    clock.now += COOL_DOWN
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        found = [pool.submit(keys.find, kid, "ES384") for _ in range(200) for kid in ("new", "old")]
        assert [future.result().kid for future in found] == ["new", "old"] * 200
    assert server.asked.count(path) == 2


@pytest.mark.requirement("J-21", "JWT-06", "OUT-03")
@pytest.mark.parametrize("status", [301, 302, 304, 308])
def test_a_redirect_is_not_followed(status: int, server: JwksServer, caplog: pytest.LogCaptureFixture) -> None:
    server.publish("/elsewhere", set_of("old"))
    url = server.publish("/moved", b"", status, Location=f"{server.url}/elsewhere")
    with pytest.raises(UnauthorisedError):
        keys_at(url).find("old", "ES384")
    assert "event=jwk_set_not_fetched client=hospital reason=redirect" in lines(caplog)
    assert "/elsewhere" not in server.asked


@pytest.mark.requirement("J-21", "JWT-06")
def test_a_set_of_more_than_256_kib_is_not_read(server: JwksServer, caplog: pytest.LogCaptureFixture) -> None:
    large = _json({"padding": "a" * 300_000} | set_of("old"))
    with pytest.raises(UnauthorisedError):
        keys_at(server.publish("/large", large)).find("old", "ES384")
    assert "reason=too-long" in text(caplog)


@pytest.mark.requirement("J-21", "JWT-06", "OUT-05")
def test_a_server_that_does_not_answer_is_given_up_after_two_seconds(
    server: JwksServer, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def never(handler: BaseHTTPRequestHandler) -> None:
        release.wait(30)

    server.answers["/never"] = never
    with ThreadPoolExecutor(1) as pool:
        try:
            finding = pool.submit(outcome, keys_at(f"{server.url}/never"), "old")
            assert finding.result(4) == "unknown-key"
        finally:
            release.set()
    assert "event=jwk_set_not_fetched client=hospital reason=timeout" in lines(caplog)


@pytest.mark.requirement("OUT-04")
def test_no_proxy_of_the_environment_is_asked(server: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    assert keys_at(server.publish("/direct", set_of("old"))).find("old", "ES384")
