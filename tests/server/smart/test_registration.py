"""`[client.smart]` in `clients.toml`."""

from pathlib import Path

import pytest

from server.config import ConfigurationError
from server.trust.clients import Client, SmartRegistration
from server.trust.clients_file import load_clients, read_clients

ENTRY = """
[[client]]
name = "hospital"
issuer = "https://ehr.example"
jwks_url = "https://ehr.example/jwks"
fhir_servers = ["https://fhir.ehr.example/R4"]
"""
SMART = '[client.smart]\nclient_id = "myositis"\n'


def loaded(folder: Path, text: str) -> Client:
    (client,) = load_clients(written(folder, text))
    return client


def written(folder: Path, text: str) -> Path:
    file = folder / "clients.toml"
    file.write_text(text, "utf-8")
    return file


def secret(folder: Path, text: str = "s3cret\n", mode: int = 0o600) -> str:
    file = folder / "secret"
    file.write_text(text)
    file.chmod(mode)
    return 'authentication = "client_secret_basic"\nsecret_file = "secret"\n'


def test_a_client_id_is_all_that_is_needed(tmp_path: Path) -> None:
    assert loaded(tmp_path, ENTRY + SMART).smart == SmartRegistration("myositis")
    assert loaded(tmp_path, ENTRY).smart is None


def test_everything_can_be_said(tmp_path: Path) -> None:
    more = 'scopes = ["user/Practitioner.r"]\nframe_ancestors = ["https://ehr.example", "http://127.0.0.1:8001"]\n'
    client = loaded(tmp_path, ENTRY + 'language = "de"\n' + SMART + secret(tmp_path) + more)
    assert client.language == "de"
    assert client.smart == SmartRegistration(
        "myositis", "client_secret_basic", "s3cret", ("user/Practitioner.r",), ("https://ehr.example", "http://127.0.0.1:8001")
    )


@pytest.mark.requirement("SEC-01")
def test_the_secret_is_in_no_representation(tmp_path: Path) -> None:
    assert "s3cret" not in repr(loaded(tmp_path, ENTRY + SMART + secret(tmp_path)))


@pytest.mark.requirement("SM-12", "SM-04", "SM-14")
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ENTRY + "[client.smart]\n", "smart: must be a table"),
        (ENTRY + SMART + "secret = 'x'\n", "smart: must be a table"),
        (ENTRY + SMART + 'client_id2 = "x"\n', "smart: must be a table"),
        (ENTRY + SMART + 'authentication = "none"\n', "smart: must be a table"),
        (ENTRY + SMART + 'authentication = "client_secret_basic"\n', "secret_file goes with authentication"),
        (ENTRY + SMART + 'secret_file = "secret"\n', "secret_file goes with authentication"),
        (ENTRY + SMART + 'authentication = "client_secret_basic"\nsecret_file = "none"\n', "secret_file cannot be read"),
        (ENTRY + SMART + 'frame_ancestors = ["https://ehr.example/"]\n', "frame_ancestors: number 1 must be https"),
        (ENTRY + SMART + 'frame_ancestors = ["http://ehr.example"]\n', "frame_ancestors: number 1 must be https"),
        (ENTRY + SMART + 'frame_ancestors = ["https://ehr.example", "*"]\n', "frame_ancestors: number 2 must be https"),
        (ENTRY.replace('fhir_servers = ["https://fhir.ehr.example/R4"]', "") + SMART, "smart: needs fhir_servers"),
        (ENTRY + 'language = "fr"\n', "language: must be en or de"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(tmp_path: Path, text: str, fault: str) -> None:
    secret(tmp_path)
    _, faults = read_clients(written(tmp_path, text))
    assert any(fault in one.text for one in faults), faults
    assert "s3cret" not in str(faults)


@pytest.mark.requirement("SM-12")
@pytest.mark.parametrize(
    ("text", "mode", "fault"), [("s3cret", 0o644, "chmod 600"), ("s3cret", 0o640, "chmod 600"), (" \n", 0o600, "is empty")]
)
def test_a_secret_that_others_can_read_or_that_is_none_is_a_fault(tmp_path: Path, text: str, mode: int, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault) as error:
        loaded(tmp_path, ENTRY + SMART + secret(tmp_path, text, mode))
    assert "s3cret" not in str(error.value)


@pytest.mark.requirement("SM-04")
def test_two_clients_with_the_app_have_no_fhir_server_in_common(tmp_path: Path) -> None:
    other = ENTRY.replace("hospital", "other").replace("https://ehr.example", "https://other.example")
    spelled = other.replace("https://fhir.ehr.example/R4", "https://FHIR.ehr.example:443/R4/")
    clients, faults = read_clients(written(tmp_path, ENTRY + SMART + spelled + SMART))
    assert (clients, "the same FHIR server" in faults[0].text) == ((), True)
    clients, faults = read_clients(written(tmp_path, ENTRY + SMART + spelled))
    assert (len(clients), faults) == (2, ())
