"""The files that start the service elsewhere: whatever they name is there, and means what they take it for."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from fnmatch import fnmatch
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import make_url, select

from scripts.supply_chain.locks import LOCKS
from scripts.supply_chain.packages import LOCK, delivered, locked
from server.command_line import main
from server.config import Config
from server.serving.channels import IDLE_SECONDS
from server.serving.ending import FINISH_SECONDS
from server.serving.exits import UNUSABLE
from server.serving.service_manager import READY, notify
from server.serving.settings import settings_of
from server.smart.keys import load_signing_keys
from server.smart.sealing import load_sealer
from server.store.backup import restore
from server.store.database import connect, upgrade_database
from server.store.restored import MARK
from server.store.revisions import newest_revision
from server.store.tables import installation
from tests.postgresql import PostgresqlServer

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OPERATING = ROOT / "docs" / "operating.md"
UNITS, TIMERS = (sorted(DEPLOY.glob(f"*.{kind}")) for kind in ("service", "timer"))
UNIT = (DEPLOY / "myositis-cds.service").read_text("utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
NGINX = (DEPLOY / "nginx.conf").read_text("utf-8")
SETTINGS = {setting.name for setting in settings_of(Config(), {})} | {"MYOSITIS_CDS_COMMIT"}


@pytest.mark.parametrize("file", [*sorted(DEPLOY.iterdir()), OPERATING], ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    if file.is_file():
        named = set(re.findall(r"MYOSITIS_CDS_[A-Z_]+[A-Z]", file.read_text("utf-8")))
        assert named <= SETTINGS


# --- systemd


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit_and_lets_it_do_little(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing; run scripts/ensure-systemd.sh"
    for one in (*UNITS, *TIMERS):
        text = one.read_text("utf-8").replace("/opt/myositis-cds/bin/myositis-cds", shutil.which("true") or "/bin/true")
        (tmp_path / one.name).write_text(text)
    timer = [file for file in TIMERS if file.stem == unit.stem]
    for one in (unit, *timer):
        checked = subprocess.run(
            [analyze, "verify", tmp_path / one.name], capture_output=True, text=True, check=False, timeout=60
        )
        assert (checked.returncode, checked.stderr) == (0, "")
    rate = [analyze, "security", "--offline=true", "--threshold=20", tmp_path / unit.name]
    rated = subprocess.run(rate, capture_output=True, text=True, check=False, timeout=60)
    assert rated.returncode == 0, rated.stdout  # an exposure of at most 2.0, of 10


@pytest.mark.requirement("LOG-07")
def test_what_is_past_its_retention_is_deleted_by_timers_in_the_environment_of_the_service() -> None:
    assert {file.stem for file in TIMERS} == {file.stem for file in UNITS} - {"myositis-cds"}
    calendars = {re.search("^OnCalendar=(.*)$", file.read_text("utf-8"), re.MULTILINE)[1] for file in TIMERS}  # type: ignore[index]
    assert calendars == {"*-*-* 03:17:00", "*:0/15"}
    served = set(UNIT.splitlines())
    for unit in UNITS:
        lines = unit.read_text("utf-8").splitlines()
        same = [line for line in lines if re.match("EnvironmentFile=/|Environment=|User=|StateDirectory=", line)]
        assert len(same) == 4
        assert set(same) <= served


def test_systemd_waits_longer_than_the_service_takes_to_end() -> None:
    seconds = int(re.search(r"TimeoutStopSec=(\d+)", UNIT)[1])  # type: ignore[index]  # it is there
    assert seconds > Config().drain_seconds + FINISH_SECONDS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_of_the_unit_is_ours(unit: Path) -> None:
    command = shlex.split(re.search(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.MULTILINE)[1])  # type: ignore[index]
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


@pytest.mark.requirement("SEC-01", "SEC-02")
@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_of_the_composition_can_do_little(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert not any(re.search("PASSWORD$|SECRET|TOKEN$", key) for key in service.get("environment", {}))


OURS = [name for name, service in COMPOSE["services"].items() if service.get("build")]


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_of_the_composition_are_ours(name: str) -> None:
    service = COMPOSE["services"][name]
    assert CliRunner().invoke(main, [*service.get("command", ["serve"]), "--help"]).exit_code == 0
    settings = {key: value for key, value in service["environment"].items() if key.startswith("MYOSITIS_CDS_")}
    config = Config.from_environment(settings)
    assert config.database_url.startswith("postgresql+psycopg://")
    assert service["build"]["args"]["POSTGRESQL"]  # or there would be no psycopg


@pytest.mark.requirement("AUD-01", "DB-06")
def test_the_service_does_not_connect_as_the_owner_of_the_tables() -> None:
    environment = {name: COMPOSE["services"][name]["environment"] for name in OURS}
    as_owner = {name for name in OURS if "//myositis_cds_owner@" in environment[name]["MYOSITIS_CDS_DATABASE_URL"]}
    assert as_owner == {"migrate", "purge"}
    assert {name for name in OURS if "owner-pgpass" in COMPOSE["services"][name]["secrets"]} == as_owner
    order = COMPOSE["services"]
    assert set(order["service"]["depends_on"]) == {"grants"}
    assert set(order["grants"]["depends_on"]) == {"migrate"}


def test_nginx_reaches_the_service_after_either_was_started_again_and_nobody_else_does() -> None:
    service, nginx = (COMPOSE["services"][name] for name in ("service", "nginx"))
    assert service["environment"]["MYOSITIS_CDS_HOST"] == "0.0.0.0"  # noqa: S104 - in its own networks
    assert "ports" not in service
    subnet = ip_network(COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"])
    assert ip_address(service["networks"]["front"]["ipv4_address"]) in subnet
    assert nginx["networks"] == ["front"]
    assert COMPOSE["services"]["database"]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"]["internal"]


def test_nginx_of_the_composition_asks_the_service_and_keeps_no_log(tmp_path: Path) -> None:
    shell, options, script = COMPOSE["services"]["nginx"]["command"]
    script = script.replace("/nginx.conf", str(DEPLOY / "nginx.conf")).replace("/etc/nginx/conf.d", str(tmp_path))
    subprocess.run([shell, options, script.replace("exec nginx -g 'daemon off;'", "")], check=True, timeout=20)
    made, shipped = ((folder / name).read_text("utf-8") for folder, name in ((tmp_path, "default.conf"), (DEPLOY, "nginx.conf")))
    changed = [line.split("#")[0].split() for line in made.splitlines() if line not in shipped.splitlines()]
    assert changed == [
        ["server", "service:8000;"],
        ["access_log", "/dev/stdout", "myositis_cds;"],
        ["error_log", "/dev/stderr", "crit;"],
    ]


def test_the_engine_hears_how_the_service_is_whichever_format_the_image_has() -> None:
    asked = yaml.safe_load(re.search(r"HEALTHCHECK .*\\\n  CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)[1])  # type: ignore[index]
    assert COMPOSE["services"]["service"]["healthcheck"]["test"] == ["CMD", *asked]
    assert COMPOSE["services"]["nginx"]["depends_on"]["service"]["condition"] == "service_healthy"


@pytest.mark.requirement("SM-12")
def test_the_secrets_of_the_composition_are_made_once_each_for_whoever_reads_it(tmp_path: Path) -> None:
    def make() -> dict[str, str]:
        made = subprocess.run(
            [DEPLOY / "make-secrets.sh", tmp_path], env={**os.environ, "PYTHON": sys.executable}, check=True, timeout=60,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert (made.stderr == b"") is (os.getuid() == 0)
        return {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}

    secrets = make()
    assert set(secrets) == {Path(one["file"]).name for one in COMPOSE["secrets"].values()}
    assert make() == secrets
    for file in tmp_path.iterdir():
        reader = {name for name, one in COMPOSE["services"].items() if source_of(file) in one.get("secrets", [])}
        users = {COMPOSE["services"][name].get("user", "10001:10001") for name in reader}
        assert file.stat().st_mode & 0o777 == 0o600
        if os.getuid() == 0:
            assert users == {f"{file.stat().st_uid}:{file.stat().st_gid}"}
    assert secrets["pgpass"] == f"database:5432:myositis_cds:myositis_cds:{secrets['service-password']}"
    assert secrets["owner-pgpass"] == f"database:5432:myositis_cds:myositis_cds_owner:{secrets['owner-password']}"
    load_sealer(tmp_path / "session-key")
    assert len(load_signing_keys(tmp_path / "smart-key.json")().keys) == 2


def source_of(file: Path) -> str:
    return next(name for name, one in COMPOSE["secrets"].items() if Path(one["file"]).name == file.name)


def test_the_backup_of_the_composition_is_one_of_ours(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    program, *arguments = COMPOSE["services"]["backup"]["command"]
    options = [one for one in arguments if not one.startswith(("--host", "--username", "--dbname"))]
    where = [f"--host={postgresql.folder}", "--username=postgres", f"--dbname={make_url(url).database}"]
    with (tmp_path / "backup").open("wb") as file:
        subprocess.run([postgresql.programs / program, *options, *where], stdout=file, check=True, timeout=60)
    assert restore(url, tmp_path / "backup", replace=True).revision == newest_revision()
    (statement,) = re.findall(r"```sql\n(.*?)```", OPERATING.read_text("utf-8"), re.DOTALL)
    assert f"('{MARK}', " in statement  # what a restore by hand says
    engine = connect(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
        marked = connection.execute(select(installation.c.value).where(installation.c.name == MARK)).scalar_one()
    engine.dispose()
    assert abs(int(marked) - time.time()) < 60


def test_the_grants_of_the_composition_give_the_service_its_password(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    url = postgresql.new_database()
    upgrade_database(url)
    (tmp_path / "service-password").write_text("0123abcd\n")
    shell, options, script = COMPOSE["services"]["grants"]["command"]
    ours = {
        "$$": "$",
        "/grants.sql": str(DEPLOY / "grants.sql"),
        "/run/secrets": str(tmp_path),
        "=database ": f"={postgresql.folder} ",
        "=myositis_cds_owner": "=postgres",
        "=myositis_cds\n": f"={make_url(url).database}\n",
    }
    for shipped, here in ours.items():
        assert shipped in script
        script = script.replace(shipped, here)
    subprocess.run([shell, options, script], env={"PATH": f"{postgresql.programs}:{os.defpath}"}, check=True, timeout=60)
    engine = connect(url)
    with engine.begin() as connection:
        kept = connection.exec_driver_sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'myositis_cds'").scalar_one()
        connection.exec_driver_sql("DROP OWNED BY myositis_cds; DROP ROLE myositis_cds")
    engine.dispose()
    assert kept.startswith("SCRAM-SHA-256$")


def test_the_guide_names_files_that_are_there() -> None:
    named = set(re.findall(r"deploy/[\w./-]+\.[a-z]+|scripts/[\w./-]+|requirements[\w-]*\.lock", OPERATING.read_text("utf-8")))
    theirs = {"deploy/site/clients.toml", "deploy/tls/certificate.pem"}
    assert {name for name in named - theirs if not (ROOT / name).exists()} == set()
    assert {file.name for file in (*UNITS, *TIMERS)} == {
        "myositis-cds.service",
        *(one.name for one in DEPLOY.glob("myositis-cds-purge*")),
    }


def test_the_proxy_lets_go_of_a_connection_before_the_service_does() -> None:
    seconds = int(re.search(r"keepalive 32;\s+keepalive_timeout (\d+)s", NGINX)[1])  # type: ignore[index]  # it is there
    assert seconds < IDLE_SECONDS
