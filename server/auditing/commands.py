"""`myositis-cds audit …`: for those who must be able to say what the service said."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import orjson
from sqlalchemy import Engine, Row

from server.auditing.appending import Head
from server.auditing.as_fhir import as_line
from server.auditing.journal import Journal
from server.auditing.reading import Period, heads, records, snapshot
from server.auditing.verifying import Verified
from server.auditing.verifying import verify as verify_trail
from server.config import PREFIX, Config, ConfigurationError
from server.store.database import connect, refuse_unless_current
from server.store.pseudonyms import load_pseudonyms

TAMPERED = 1
_Day = click.DateTime(("%Y-%m-%d",))


@click.group()
def audit() -> None:
    """Verify and export the audit trail in the database (MYOSITIS_CDS_DATABASE_URL)."""


@audit.command()
@click.option("--client", metavar="NAME", help="Only this registered client.")
@click.option(
    "--head",
    "noted",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Heads noted before: output of `audit heads`, or a log of the service. Shows whether the end was cut off.",
)
def verify(client: str | None, noted: Path | None) -> None:
    """Verify that no record was changed, deleted, put in or moved; exit code 1 if one was.

    Keep the output of `audit heads`, or the log of the service, where nobody who can write the database can write; without it
    nothing can show that the newest records were cut off.
    """
    config = Config.from_environment(os.environ)
    known = _heads_in(noted) if noted else []
    database = _database(config)
    try:
        key = load_pseudonyms(database, config.pseudonym_key_file).key_for("audit")
        known = [one for one in known if client in (None, one.client)]
        with snapshot(database) as connection:
            found = verify_trail(connection, key, client, known)
    finally:
        database.dispose()
    _say_what_waits(config)
    if client is not None and not (known or found[0].records or found[0].head.sequence):
        raise ConfigurationError(f"--client {client}: has no audit records")
    for one in found:
        _print(one)
    if any(one.faults for one in found):
        click.echo("TAMPERED WITH: the audit trail is not what was written.")
        sys.exit(TAMPERED)
    click.echo(f"Intact: {sum(one.records for one in found)} records of {len(found)} clients.")


@audit.command()
@click.option("--since", type=_Day, metavar="YYYY-MM-DD", help="First day (UTC).")
@click.option("--until", type=_Day, metavar="YYYY-MM-DD", help="Last day (UTC).")
@click.option("--client", metavar="NAME", help="Only this registered client.")
@click.option("--format", "form", type=click.Choice(["ndjson", "fhir"]), default="ndjson", show_default=True)
def export(since: datetime | None, until: datetime | None, client: str | None, form: str) -> None:
    """Print the records, one to a line: as they are sealed (ndjson), or as FHIR R4 AuditEvents (fhir)."""
    if since and until and since > until:
        raise ConfigurationError("--since is after --until; name the first day and then the last")
    period = Period(_moment(since) if since else None, _moment(until + timedelta(days=1)) if until else None, client)
    config = Config.from_environment(os.environ)
    database, out = _database(config), sys.stdout.buffer
    try:
        with snapshot(database) as connection:
            for row in records(connection, period):
                out.write(as_line(row.entry, row.sequence, row.chain) if form == "fhir" else _sealed(row))
        out.flush()
    finally:
        database.dispose()
    _say_what_waits(config)


@audit.command("heads")
def print_heads() -> None:
    """Print the newest record of every client, to be kept elsewhere and given to `audit verify --head`."""
    database = _database(Config.from_environment(os.environ))
    try:
        with snapshot(database) as connection:
            for head in heads(connection):
                click.echo(orjson.dumps({"client": head.client, "sequence": head.sequence, "chain": head.chain}).decode())
    finally:
        database.dispose()


def _database(config: Config) -> Engine:
    database = connect(config.database_url, hurried=False)  # a year's records take longer than one call
    refuse_unless_current(database)
    return database


def _sealed(row: "Row[Any]") -> bytes:
    """The exact text that was sealed, between its place and its seal: with the key, this file can be verified alone."""
    return f'{{"sequence":{row.sequence},"entry":{row.entry},"chain":"{row.chain}"}}\n'.encode()


def _print(one: Verified) -> None:
    head, period = one.head, "none yet"
    if one.first is not None and one.last is not None:
        period = f"{_time(one.first)} to {_time(one.last)}"
    purged = f", {one.purged} older ones purged" if one.purged else ""
    click.echo(f"{head.client}: {one.records} records, {period}{purged}; head {head.sequence} {head.chain}")
    for fault in one.faults:
        click.echo(f"  {fault}")
    if one.more:
        click.echo(f"  and {one.more} more")
    if one.faults and one.records > 1 and len(one.faults) + one.more == one.records:
        click.echo(f"  If no record fits, {PREFIX}PSEUDONYM_KEY_FILE may not be the key that they were sealed with.")


def _say_what_waits(config: Config) -> None:
    """What is still in the journal is in no chain yet."""
    if config.audit_spill_file and Journal(config.audit_spill_file).is_waiting():
        click.echo(f"{config.audit_spill_file}: records wait there to be brought home; they are not among these.", err=True)


def _heads_in(file: Path) -> list[Head]:
    """Heads in lines of JSON, whatever else is in the file.

    Raises:
        ConfigurationError: there is none, or the file cannot be read.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"--head {file}: cannot be read: {error.strerror}") from None
    found = [head for line in lines if (head := _head(line))]
    if not found:
        raise ConfigurationError(f"--head {file}: names no head; give the output of `audit heads`, or a log of the service")
    return found


def _head(line: bytes) -> Head | None:
    try:
        said = orjson.loads(line)
        return Head(str(said["client"]), int(said["sequence"]), str(said["chain"]))
    except (ValueError, KeyError, TypeError):
        return None


def _moment(day: datetime) -> int:
    return int(day.replace(tzinfo=UTC).timestamp() * 1000)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
