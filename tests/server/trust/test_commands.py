"""`myositis-cds clients check`, and starting with a clients file, as processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.store.processes import command
from tests.server.trust.ehrs import Ehr, jwk, private_key
from tests.server.trust.jwks_server import JwksServer, jwks_server

COMMAND = Path(sys.executable).with_name("myositis-cds")


IN_MEMORY = {"MYOSITIS_CDS_DATABASE_URL": "sqlite://"}


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return command(*arguments, **IN_MEMORY | environment)


def start(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """With the processes that the command itself starts."""
    env = {"PATH": os.defpath} | IN_MEMORY | environment
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60, env=env)


@pytest.fixture(scope="module")
def server() -> Iterator[JwksServer]:
    with jwks_server() as running:
        yield running


def written(folder: Path, jwks_url: str, more: str = "") -> Path:
    path = folder / "clients.toml"
    path.write_text(f'[[client]]\nname = "hospital"\nissuer = "https://hospital.example"\njwks_url = "{jwks_url}"\n{more}\n')
    return path


def test_each_client_is_printed_with_what_it_may_do(tmp_path: Path) -> None:
    path = written(tmp_path, "https://hospital.example/jwks", 'replay_check = false\ntopics_off = ["lungFunction"]\nlinks = []')
    result = run("clients", "check", path)
    assert (result.returncode, result.stderr) == (0, "")
    for words in (
        "hospital\n  tokens: issuer https://hospital.example; ES384, RS384; life at most 300 s; may be used again",
        "keys: https://hospital.example/jwks",
        "FHIR servers that may be called: none",
        "topics off: lungFunction",
        "links: none",
        f"{path}: in order (1 clients)",
    ):
        assert words in result.stdout


def test_the_file_may_come_from_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, "https://hospital.example/jwks")
    assert run("clients", "check", MYOSITIS_CDS_CLIENTS=str(path)).returncode == 0
    without = run("clients", "check")
    assert (without.returncode, without.stdout) == (2, "")
    assert without.stderr == "myositis-cds: clients check: name a file, or set MYOSITIS_CDS_CLIENTS\n"


def test_every_fault_is_a_line_on_stderr(tmp_path: Path) -> None:
    path = written(tmp_path, "https://hospital.example/jwks", 'colour = 1\ncard_cap = 0\ndialect = "epik"')
    result = run("clients", "check", path)
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{path}: client hospital: ") for line in lines)


@pytest.mark.requirement("J-19", "J-20", "JWT-02", "JWT-08")
def test_fetching_tells_which_keys_can_be_used_and_why_others_cannot(tmp_path: Path, server: JwksServer) -> None:
    ehr = Ehr("hospital", "")
    twice = [jwk(private_key("P-384", name), kid="twice") for name in ("first", "second")]
    weak, private = jwk(private_key("RSA-1024", "weak"), kid="weak"), jwk(ehr.ec, kid="private", d="Canary")
    short = jwk(private_key("P-256", "short"), kid="short")
    url = server.publish("/jwks", ehr.jwks(weak, private, short, *twice))
    result = run("clients", "check", "--fetch", written(tmp_path, url))
    assert (result.returncode, result.stderr) == (0, "")
    for words in (
        "JWK Set: 5 keys that can be used, 2 that cannot",
        "EC key, kid 'ec': verifies ES384",
        "RSA key, kid 'rsa': verifies RS384",
        "EC key, kid 'short': not used: ES256 not registered",
        "entry 3: cannot be used (rsa-length)",
        "entry 4: shows a private key; whoever can read this set can call as this client",
        "kid 'twice' names several EC keys, so none of them is used",
    ):
        assert words in result.stdout
    assert "Canary" not in result.stdout


@pytest.mark.parametrize(
    ("path", "reason"), [("/missing", "status"), ("/html", "not-json"), ("/empty", "no-usable-key")], ids=["404", "HTML", "empty"]
)
def test_a_jwk_set_that_cannot_be_had_is_trouble_of_the_machine(
    path: str, reason: str, tmp_path: Path, server: JwksServer
) -> None:
    server.publish("/html", b"<html>")
    server.publish("/empty", {"keys": []})
    result = run("clients", "check", "--fetch", written(tmp_path, f"{server.url}{path}"))
    assert result.returncode == 1
    assert result.stderr.endswith("in order, but 1 of 1 clients without a key that can be used\n")
    assert f"JWK Set: none ({reason}); is the URL right, and does the server answer this machine?" in result.stdout


def test_the_service_does_not_start_with_a_fault_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "https://hospital.example/jwks", "card_cap = 0\nlongest_life = 0")
    result = start("serve", "--port", "0", MYOSITIS_CDS_CLIENTS=str(path))
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"myositis-cds: {path}: 2 faults: (1) client hospital: ")


@pytest.mark.requirement("X-4", "JWT-19")
def test_the_service_does_not_start_for_others_with_the_published_key_of_the_sandbox(tmp_path: Path) -> None:
    path = written(tmp_path, "https://sandbox.cds-hooks.org/.well-known/jwks.json")
    result = start("serve", "--port", "0", MYOSITIS_CDS_CLIENTS=str(path), MYOSITIS_CDS_PUBLIC_URL="https://cds.example")
    assert (result.returncode, result.stdout) == (2, "")
    assert "the private key of sandbox.cds-hooks.org is public" in result.stderr
