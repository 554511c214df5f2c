"""Where secrets are not: not in a URL, a page, a cookie, a log, nor readable in the database; and who may read our keys."""

import json
import logging
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import jwt
import pytest
from flask import Response
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import Engine

from server.application import create_app
from server.config import Config, ConfigurationError
from server.runtime import open_runtime
from server.smart.app import open_app
from server.smart.cookies import Cookies
from server.smart.keys import ALGORITHMS, SigningKeys, keys_of_this_process, load_signing_keys
from server.smart.sealing import UnsealError, load_sealer
from server.store.tables import smart_launches
from server.trust.clients import Client, SmartRegistration
from server.trust.jwk_set import read_jwk_set
from tests.server.charts import Json
from tests.server.conftest import CONFIG
from tests.server.smart.conftest import Start, parameters
from tests.server.smart.ehr import CLIENT_ID, Ehr
from tests.server.store.rows import column

ENDPOINT = "https://ehr.example/token"


# --- tokens


@pytest.mark.requirement("SM-07", "LOG-02")
def test_no_token_is_in_a_url_a_page_a_cookie_a_log_or_readable_in_the_database(
    start: Start, ehr: Ehr, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every token of the EHR has the word canary in it; the patient is one too."""
    with caplog.at_level(logging.DEBUG):
        browser = start(ehr, database_url=f"sqlite:///{tmp_path / 'state.sqlite3'}").browser()
        path = browser.open(ehr)
        ehr.valid.clear()
        texts = [browser.get(path).text, browser.get("/smart/patient").text]
        ehr.valid.clear()
        ehr.refresh_tokens.clear()
        texts.append(browser.get(path).text)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert path.rpartition("/")[2].encode() in written  # so that something was written, and would be found
    assert len(ehr.forms) == 3
    cookies = " ".join(f"{one.key}={one.value}" for one in browser.client._cookies.values())  # type: ignore[attr-defined]
    for text in (*texts, *browser.seen, cookies, caplog.text, written.decode("latin-1")):
        assert "canary" not in text
    ours = [text for text in (*browser.seen, caplog.text, written.decode("latin-1")) if ehr.patient in text]
    assert ours == []


@pytest.mark.requirement("SM-07")
def test_the_state_and_the_cookie_are_in_the_database_as_hashes_only(start: Start, ehr: Ehr, database: Engine) -> None:
    browser = start(ehr, database_url=database.url.render_as_string(hide_password=False)).browser()
    browser.begin(ehr)
    (cookie,) = browser.client._cookies.values()  # type: ignore[attr-defined]
    kept = column(database, smart_launches, "browser") | column(database, smart_launches, "state")
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in kept)
    assert cookie.value not in kept


@pytest.mark.requirement("SM-07", "SEC-01")
def test_a_launch_that_has_begun_shows_no_secret_in_its_representation(start: Start, ehr: Ehr) -> None:
    begun = open_app(start(ehr).runtime).begin(ehr.base, "xyz")
    assert begun.launch in repr(begun)
    assert begun.cookie not in repr(begun)
    assert all(parameters(begun.url)[name] not in repr(begun) for name in ("state", "nonce"))


# --- cookies


def cookie_of(public_url: str, *frame_ancestors: str) -> str:
    registration = SmartRegistration(CLIENT_ID, frame_ancestors=frame_ancestors)
    response = Response()
    Cookies(public_url).set(response, "x" * 22, "secret", registration)
    return response.headers["Set-Cookie"]


HTTPS, HTTP = "https://cds.example", "http://127.0.0.1:8000"
ALWAYS = {"HttpOnly", "Path=/"}
ATTRIBUTES = [
    pytest.param(HTTPS, (), "__Host-", {"Secure", "SameSite=Lax"}, id="over TLS"),
    pytest.param(
        HTTPS, ("https://ehr.example",), "__Host-", {"Secure", "SameSite=None", "Partitioned"}, id="in the frame of an EHR"
    ),
    pytest.param(HTTP, (), "", {"SameSite=Lax"}, id="on this machine"),
    pytest.param(HTTP, ("http://127.0.0.1:8001",), "", {"SameSite=Lax"}, id="in a frame on this machine"),
]


@pytest.mark.requirement("SM-07", "SM-14")
@pytest.mark.parametrize(("public_url", "origins", "prefix", "attributes"), ATTRIBUTES)
def test_a_cookie_is_for_us_alone(public_url: str, origins: tuple[str, ...], prefix: str, attributes: set[str]) -> None:
    named, *others = (part.strip() for part in cookie_of(public_url, *origins).split(";"))
    assert named == f"{prefix}myositis-cds-launch-{'x' * 22}=secret"
    assert {one for one in others if not one.startswith(("Expires", "Max-Age"))} == ALWAYS | attributes


@pytest.mark.requirement("SM-14")
def test_only_registered_pages_show_the_app_in_a_frame(start: Start, ehr: Ehr) -> None:
    registration = SmartRegistration(CLIENT_ID, frame_ancestors=("http://127.0.0.1:8001",))
    browser = start(ehr, registration=registration).browser()
    for page in (browser.get(browser.open(ehr)), browser.get("/smart/patient/x"), browser.get("/smart/launch")):
        assert page.headers["Content-Security-Policy"].endswith("; frame-ancestors http://127.0.0.1:8001")


# --- keys that sign


def key_file(folder: Path, *keys: Json, mode: int = 0o600) -> Path:
    file = folder / "keys.json"
    file.write_text(json.dumps({"keys": keys}))
    file.chmod(mode)
    return file


@cache
def private_keys() -> tuple[Json, ...]:
    """Two keys, made once."""
    made = (ECKey.generate_key("P-384"), RSAKey.generate_key(2048))
    return tuple({**key.as_dict(private=True), "kid": f"key-{number}"} for number, key in enumerate(made))


@pytest.mark.requirement("SM-12")
def test_what_is_published_verifies_and_cannot_sign() -> None:
    response = create_app(CONFIG).test_client().get("/.well-known/jwks.json")
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    for key in response.get_json()["keys"]:
        assert not key.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
        assert (key["key_ops"], key["use"]) == (["verify"], "sig")
        assert key["kid"]
    assert {key["alg"] for key in response.get_json()["keys"]} == set(ALGORITHMS)
    assert read_jwk_set(response.get_json()).unusable == ()


@pytest.mark.requirement("SM-12")
@pytest.mark.parametrize(
    ("accepted", "algorithm"),
    [(("RS384", "ES384"), "ES384"), (("RS384",), "RS384"), (("PS256", "RS384"), "RS384"), ((), "ES384"), (("HS256",), "ES384")],
)
def test_an_assertion_is_for_one_endpoint_for_minutes_and_for_once(accepted: tuple[str, ...], algorithm: str) -> None:
    keys = keys_of_this_process()
    first, second = (keys.assertion(CLIENT_ID, ENDPOINT, accepted) for _ in range(2))
    header = jwt.get_unverified_header(first)
    (key,) = (jwt.PyJWK(one) for one in keys.published()["keys"] if one["kid"] == header["kid"])
    claims, others = (jwt.decode(one, key, [algorithm], audience=ENDPOINT) for one in (first, second))
    assert (header["alg"], header["typ"]) == (algorithm, "JWT")
    assert (claims["iss"], claims["sub"]) == (CLIENT_ID, CLIENT_ID)
    assert 0 < claims["exp"] - time.time() <= 300
    assert claims["jti"] != others["jti"]


@pytest.mark.requirement("SM-12")
def test_keys_come_from_a_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    made = private_keys()
    keys = load_signing_keys(key_file(tmp_path, *made))()
    assert [key["kid"] for key in keys.published()["keys"]] == ["key-0", "key-1"]
    with pytest.raises(ConfigurationError, match=r"SMART_KEY_FILE: .* can be read by others; run: chmod 600"):
        load_signing_keys(key_file(tmp_path, *made, mode=0o640))


def test_while_keys_are_rotated_both_are_published_and_the_first_signs(tmp_path: Path) -> None:
    made = [*private_keys(), {**ECKey.generate_key("P-384").as_dict(private=True), "kid": "old"}]
    keys = load_signing_keys(key_file(tmp_path, *made))()
    assert len(keys.published()["keys"]) == 3
    assert jwt.get_unverified_header(keys.assertion(CLIENT_ID, ENDPOINT, ("ES384",)))["kid"] == "key-0"


@pytest.mark.requirement("SM-12")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda keys: keys[:1],
        lambda keys: [],
        lambda keys: [{name: value for name, value in key.items() if name != "d"} for key in keys],
        lambda keys: [key | {"kty": "oct"} for key in keys],
        lambda keys: [key | {"d": "canary"} for key in keys],
    ],
)
def test_a_file_that_cannot_sign_stops_the_start_and_its_words_show_no_key(tmp_path: Path, spoil: object) -> None:
    with pytest.raises(ConfigurationError, match="SMART_KEY_FILE") as error:
        load_signing_keys(key_file(tmp_path, *spoil(private_keys())))  # type: ignore[operator]
    assert "canary" not in str(error.value)


# --- keys that seal


def session_keys(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / "session-keys"
    file.write_text("\n".join(lines))
    file.chmod(mode)
    return file


@pytest.mark.requirement("SM-07")
def test_sealed_texts_open_with_their_key_and_for_their_launch_only(tmp_path: Path) -> None:
    old, new = "1" * 64, "2" * 64
    before = load_sealer(session_keys(tmp_path, old))
    sealed = before.seal("launch", {"token": "secret"})
    assert sealed != before.seal("launch", {"token": "secret"})
    rotated = load_sealer(session_keys(tmp_path, new, old))
    assert rotated.open("launch", sealed) == {"token": "secret"}
    assert rotated.seal("launch", {}).partition(".")[0] != sealed.partition(".")[0]
    for sealer, launch, text in (
        (rotated, "another", sealed),
        (load_sealer(session_keys(tmp_path, new)), "launch", sealed),
        (load_sealer(None), "launch", sealed),
        (rotated, "launch", sealed[:-4] + "AAAA"),
        (rotated, "launch", "no text of ours"),
        (rotated, "launch", sealed.partition(".")[0] + ".ü"),
    ):
        with pytest.raises(UnsealError):
            sealer.open(launch, text)


@pytest.mark.requirement("SM-07")
@pytest.mark.parametrize("lines", [(), ("short",), ("0" * 62,), ("0" * 64, "z" * 64)])
def test_a_file_without_keys_stops_the_start(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="openssl rand -hex 32"):
        load_sealer(session_keys(tmp_path, *lines))
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_sealer(session_keys(tmp_path, "0" * 64, mode=0o644))


def test_the_settings_name_both_files(tmp_path: Path) -> None:
    keys, sessions = key_file(tmp_path, *private_keys()), session_keys(tmp_path, "0" * 64)
    config = Config.from_environment({"MYOSITIS_CDS_SMART_KEY_FILE": str(keys), "MYOSITIS_CDS_SESSION_KEY_FILE": str(sessions)})
    app = open_app(open_runtime(replace(config, database_url="sqlite://")))
    assert [one.kid for one in app.keys().keys] == ["key-0", "key-1"]
    assert [*app.launches.sealer.keys.values()] == [bytes(32)]


def test_without_files_keys_are_made_for_this_process() -> None:
    assert load_signing_keys(None)() is load_signing_keys(None)()
    assert load_sealer(None).keys != load_sealer(None).keys
    assert isinstance(keys_of_this_process(), SigningKeys)
    assert Client("x").smart is None
