"""Settings that are wrong, or not safe: each is refused at the start, with its name and the remedy, and never with its value."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from server.application import create_app
from server.config import Config, ConfigurationError
from server.runtime import open_runtime
from server.serving.named_files import refuse_missing
from server.serving.start_checks import refuse_unsafe
from server.store.errors import StoreError
from server.trust.published_keys import THUMBPRINTS
from tests.server.smart.test_secrets import key_file, private_keys
from tests.server.trust.ehrs import jwk, private_key

CLIENT = '[[client]]\nname = "hospital"\nissuer = "https://ehr.example"\njwks_url = "https://ehr.example/jwks.json"\n'
APP = 'fhir_servers = ["https://ehr.example/fhir"]\n[client.smart]\nclient_id = "ours"\nauthentication = "private_key_jwt"\n'
SANDBOX = CLIENT.replace("https://ehr.example", "https://sandbox.cds-hooks.org")
SECRET = "-".join(("ssh", "its", "hidden", "0123456789abcdef0123456789abcdef"))


def start(folder: Path, **settings: str) -> Flask:
    """What a generation does before its first worker."""
    environment = {"DATABASE_URL": f"sqlite:///{folder}/state/store.sqlite3"} | settings
    config = Config.from_environment({f"MYOSITIS_CDS_{name}": value for name, value in environment.items()})
    refuse_missing(config)
    runtime = open_runtime(config)
    try:
        refuse_unsafe(config, runtime.clients)
        return create_app(config, runtime=runtime)
    finally:
        runtime.database.dispose()


def with_clients(folder: Path, text: str = CLIENT, **settings: str) -> dict[str, str]:
    """Settings of a service in production."""
    clients = folder / "clients.toml"
    clients.write_text(text)
    return {"CLIENTS": str(clients), "PUBLIC_URL": "https://cds.example", "HOST": "0.0.0.0"} | settings  # noqa: S104


def secret(folder: Path, name: str, text: str = SECRET, mode: int = 0o600) -> str:
    """A file with a secret."""
    file = folder / name
    file.write_text(text)
    file.chmod(mode)
    return str(file)


@pytest.mark.requirement("PR-06")
def test_what_is_right_is_not_refused(tmp_path: Path) -> None:
    settings = with_clients(
        tmp_path,
        CLIENT + APP,
        WORKERS="4",
        PSEUDONYM_KEY_FILE=secret(tmp_path, "pseudonyms"),
        METRICS_TOKEN_FILE=secret(tmp_path, "metrics"),
        SMART_KEY_FILE=str(key_file(tmp_path, *private_keys())),
        SESSION_KEY_FILE=secret(tmp_path, "sessions", "0" * 64),
        ORIGINS="https://ehr.example",
        COMMIT="0" * 40,
    )
    assert start(tmp_path, **settings).url_map


ONE_BY_ONE = {
    "HOST": ["0.0.0.0", "::", "192.0.2.7", "cds.hospital.example", ""],  # noqa: S104 - refused, that is the point
    "PORT": ["eight", "70000", "-1"],
    "MAX_BODY_MIB": ["0", "1.5", "-5"],
    "CARD_CAP": ["0", "many"],
    "WORKERS": ["0", "65", "two", "-1"],
    "DRAIN_SECONDS": ["-1", "301", "soon", "nan", "inf"],
    "FETCH_SECONDS": ["0", "31", "nan", "-inf"],
    "REQUESTS_PER_SECOND": ["0", "1.5"],
    "AUDIT": ["off", "OPEN"],
    "AUDIT_SPILL_FILE": ["/var/lib/spill"],
    "DISCOVERY": ["closed"],
    "ORIGINS": ["*", "null", "https://*.ehr.example", "http://ehr.example", "https://ehr.example/"],
    "DATABASE_URL": ["mysql://store/cds", "not a URL", f"postgresql://cds:{SECRET}@nowhere.invalid/cds?connect_timeout=1"],
    "SITE": ["/no/such/folder"],
    "TERMINOLOGY": ["/no/such/folder"],
    "CLIENTS": ["/no/such/file.toml"],
    "PSEUDONYM_KEY_FILE": ["/no/such/file"],
    "SMART_KEY_FILE": ["/no/such/file"],
    "SESSION_KEY_FILE": ["/no/such/file"],
    "METRICS_TOKEN_FILE": ["/no/such/file"],
}
"""Values that are wrong whatever else is set."""


@pytest.mark.requirement("PR-06", "JWT-19", "CORS-01")
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ONE_BY_ONE.items() for value in values])
def test_a_wrong_value_is_refused_and_its_setting_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigurationError, StoreError)) as refusal:
        start(tmp_path, **{name: value})
    said = str(refusal.value)
    assert name in said
    assert SECRET not in said


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WORKRES", "did you mean MYOSITIS_CDS_WORKERS"),
        ("CLIENT", "did you mean MYOSITIS_CDS_CLIENTS"),
        ("DATABASE", "did you mean MYOSITIS_CDS_DATABASE_URL"),
        ("PUBLIC_URI", "did you mean MYOSITIS_CDS_PUBLIC_URL"),
        ("AUTH", "is not a setting"),
    ],
)
def test_a_setting_with_a_slip_in_its_name_is_not_passed_over(name: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=meant) as refusal:
        start(tmp_path, **{name: SECRET})
    assert SECRET not in str(refusal.value)


@pytest.mark.requirement("PR-06", "JWT-19")
@pytest.mark.parametrize(
    "url", ["", "http://cds.example", "ftp://cds.example", "cds.example", "https://user@cds.example", "https://cds.example/?a=b"]
)
def test_the_public_url_is_one_that_tokens_can_be_made_for(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_PUBLIC_URL.*https"):
        start(tmp_path, **with_clients(tmp_path, PUBLIC_URL=url))


@pytest.mark.requirement("JWT-19")
def test_the_published_key_of_a_sandbox_is_not_for_production(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"client hospital: the private key of sandbox\.cds-hooks\.org is public"):
        start(tmp_path, **with_clients(tmp_path, SANDBOX))


@pytest.mark.requirement("JWT-19")
def test_nor_is_it_when_it_stands_in_the_file_of_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk(private_key("P-384", "other"), kid="theirs", alg="ES384")]}))
    settings = with_clients(tmp_path, CLIENT.replace('jwks_url = "https://ehr.example/jwks.json"', 'jwks_file = "keys.json"'))
    start(tmp_path, **settings)
    published = open_runtime(Config(clients=tmp_path / "clients.toml", public_url="https://cds.example")).gate.keys["hospital"]
    monkeypatch.setattr("server.trust.published_keys.THUMBPRINTS", THUMBPRINTS | {published.find("theirs", "ES384").thumbprint})
    with pytest.raises(ConfigurationError, match="is public"):
        start(tmp_path, **settings)


@pytest.mark.requirement("PR-06", "SEC-01")
@pytest.mark.parametrize("name", ["PSEUDONYM_KEY_FILE", "SMART_KEY_FILE", "SESSION_KEY_FILE", "METRICS_TOKEN_FILE"])
def test_a_secret_that_others_can_read_is_none(name: str, tmp_path: Path) -> None:
    file = str(key_file(tmp_path, *private_keys())) if name == "SMART_KEY_FILE" else secret(tmp_path, "secret", "0" * 64)
    start(tmp_path, **{name: file})
    said = {}
    for mode in ("640", "604", "644", "620", "666"):
        Path(file).chmod(int(mode, 8))
        said[mode] = refusal(tmp_path, **{name: file})
    remedy = re.compile(rf"{name}.*can be read by others; run: chmod 600")
    assert {mode: text for mode, text in said.items() if not remedy.search(text)} == {}


def refusal(folder: Path, **settings: str) -> str:
    """What is said against these settings; nothing where they are taken."""
    try:
        start(folder, **settings)
    except ConfigurationError as refused:
        return str(refused)
    return ""


@pytest.mark.requirement("PR-06")
def test_secrets_that_can_be_guessed_are_refused(tmp_path: Path) -> None:
    for name in ("PSEUDONYM_KEY_FILE", "METRICS_TOKEN_FILE", "SESSION_KEY_FILE", "SMART_KEY_FILE"):
        with pytest.raises(ConfigurationError, match=name):
            start(tmp_path, **{name: secret(tmp_path, "short", "secret\n")})


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_several_workers_do_not_remember_in_the_memory_of_one(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"MYOSITIS_CDS_DATABASE_URL: a database in memory .* name a file"):
        start(tmp_path, DATABASE_URL=url, WORKERS="2")
    start(tmp_path, DATABASE_URL=url, WORKERS="1")


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("missing", ["SMART_KEY_FILE", "SESSION_KEY_FILE"])
def test_several_workers_have_the_same_keys(missing: str, tmp_path: Path) -> None:
    settings = with_clients(
        tmp_path,
        CLIENT + APP,
        SMART_KEY_FILE=str(key_file(tmp_path, *private_keys())),
        SESSION_KEY_FILE=secret(tmp_path, "sessions", "0" * 64),
    )
    del settings[missing]
    start(tmp_path, WORKERS="1", **settings)
    with pytest.raises(ConfigurationError, match=rf"MYOSITIS_CDS_{missing}: without it each process makes a key of its own"):
        start(tmp_path, WORKERS="2", **settings)
