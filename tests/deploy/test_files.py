"""The files that start the service elsewhere: whatever they name is there, and means what they take it for."""

import re
import shlex
import shutil
import socket
import subprocess
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from scripts.supply_chain.locks import LOCKS
from scripts.supply_chain.packages import LOCK, delivered, locked
from server.command_line import main
from server.config import Config
from server.serving.channels import IDLE_SECONDS
from server.serving.ending import FINISH_SECONDS
from server.serving.exits import UNUSABLE
from server.serving.service_manager import READY, notify
from server.serving.settings import settings_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "myositis-cds.service").read_text("utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
NGINX = (DEPLOY / "nginx.conf").read_text("utf-8")
SETTINGS = {setting.name for setting in settings_of(Config(), {})} | {"MYOSITIS_CDS_COMMIT"}


@pytest.mark.parametrize("file", [*sorted(DEPLOY.iterdir()), ROOT / "docs" / "operating.md"], ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    if file.is_file():
        named = set(re.findall(r"MYOSITIS_CDS_[A-Z_]+[A-Z]", file.read_text("utf-8")))
        assert named <= SETTINGS


# --- systemd


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "myositis-cds.service"
    unit.write_text(UNIT.replace("/opt/myositis-cds/bin/myositis-cds", shutil.which("true") or "/bin/true"))
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("this machine has no systemd-analyze")
    checked = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")
    rated = subprocess.run(
        [program, "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert rated.returncode == 0, rated.stdout  # an exposure of at most 2.0, of 10


def test_systemd_waits_longer_than_the_service_takes_to_end() -> None:
    seconds = int(re.search(r"TimeoutStopSec=(\d+)", UNIT)[1])  # type: ignore[index]  # it is there
    assert seconds > Config().drain_seconds + FINISH_SECONDS


def test_the_command_of_the_unit_is_ours() -> None:
    command = shlex.split(re.search(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)[1])  # type: ignore[index]  # it is there
    assert CliRunner().invoke(main, [*command[1:], "--help"]).exit_code == 0


@pytest.mark.requirement("DB-01")
def test_a_database_that_comes_later_is_waited_for_and_then_tried_again() -> None:
    waits = int(re.search(r"^ExecStart=.* serve --wait-db (\d+)$", UNIT, re.MULTILINE)[1])  # type: ignore[index]  # it is there
    assert 0 < waits < int(re.search(r"TimeoutStartSec=(\d+)", UNIT)[1])  # type: ignore[index]  # it is there
    assert re.search(r"^After=.*postgresql\.service", UNIT, re.MULTILINE)
    assert "Restart=on-failure\n" in UNIT
    assert f"RestartPreventExitStatus={UNUSABLE}\n" in UNIT  # and not that of a database that is away
    assert "StartLimitIntervalSec=0\n" in UNIT


def test_the_service_manager_hears_when_the_service_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert listening.recv(100) == b"READY=1"
    notify(READY, {})
    notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "nobody")})


# --- container


COPIED = {source for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE) for source in line.split()[:-1]}


@pytest.mark.requirement("SUP-03")
def test_into_the_container_go_the_wheel_and_the_locks_of_what_is_delivered() -> None:
    wheel = "build/myositis_cds-*.whl"
    locks = COPIED - {wheel}
    assert locks == {LOCKS[""].name, LOCKS["postgres"].name}
    tools = set(locked(LOCK.read_text("utf-8"))) - {package.name for package in delivered()}
    assert {"pytest", "playwright", "atheris", "pip-audit"} <= tools
    assert not tools & {name for lock in locks for name in locked((ROOT / lock).read_text("utf-8"))}
    assert fnmatch(f"build/myositis_cds-{version('myositis-cds')}-py3-none-any.whl", wheel)
    assert f"rm -rf build/lib build/bdist.* {wheel}\n" in (ROOT / "Makefile").read_text("utf-8")  # so that there is one


@pytest.mark.requirement("SEC-02")
def test_nothing_else_can_get_into_the_build_and_no_secret_into_the_repository() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    everything, *allowed = [line for line in lines if not line.startswith("#")]
    assert everything == "*"
    assert {line.removeprefix("!") for line in allowed} == COPIED
    secret = ("secrets/smart-key.json", "tls/key.pem", "site/clients.toml", "backups/first")
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"deploy/{one}" for one in secret)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert len(ignored.stdout.splitlines()) == len(secret)


@pytest.mark.requirement("SEC-02", "SUP-03")
def test_the_container_has_no_rights_no_tools_and_only_what_is_locked() -> None:
    final = CONTAINERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (\d+):\1$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert "pip install" not in final
    assert "apt" not in final
    assert "--require-hashes" in CONTAINERFILE
    assert re.search(r"^ARG BASE=", CONTAINERFILE, re.MULTILINE)


def test_the_command_of_the_container_is_ours() -> None:
    entry, command = (
        yaml.safe_load(re.search(rf"^{word} (\[.*\])$", CONTAINERFILE, re.MULTILINE)[1])  # type: ignore[index]  # it is there
        for word in ("ENTRYPOINT", "CMD")
    )
    assert entry == ["myositis-cds"]
    assert CliRunner().invoke(main, [*command, "--help"]).exit_code == 0
    assert CliRunner().invoke(main, [*COMPOSE["services"]["migrate"]["command"], "--help"]).exit_code == 0


@pytest.mark.requirement("SEC-01", "SEC-02")
@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_of_the_composition_can_do_little(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {secret["source"] for secret in service.get("secrets", [])} <= set(COMPOSE["secrets"])
    assert not any(re.search("PASSWORD$|SECRET|TOKEN$", key) for key in service.get("environment", {}))


def test_the_settings_of_the_composition_are_settings(tmp_path: Path) -> None:
    environment = {
        key: value for key, value in COMPOSE["services"]["service"]["environment"].items() if key.startswith("MYOSITIS_CDS_")
    }
    assert Config.from_environment(environment).workers == 2


def test_the_proxy_lets_go_of_a_connection_before_the_service_does() -> None:
    seconds = int(re.search(r"keepalive 32;\s+keepalive_timeout (\d+)s", NGINX)[1])  # type: ignore[index]  # it is there
    assert seconds < IDLE_SECONDS
