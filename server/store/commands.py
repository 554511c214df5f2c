"""`myositis-cds db …`: for those who look after the database."""

import os
from dataclasses import asdict
from time import time

import click

from server.config import Config, ConfigurationError
from server.store.database import open_database, refuse_unless_current, upgrade_database
from server.store.engines import SETTING, connect, place_of
from server.store.sqlite import file_of
from server.store.writing import try_writing


@click.group()
def db() -> None:
    """Upgrade, check and purge the database that MYOSITIS_CDS_DATABASE_URL names."""


@db.command()
def upgrade() -> None:
    """Bring the tables up to date; take a backup first.

    An SQLite file does this by itself whenever the service starts. PostgreSQL waits for this command.
    """
    from server.store.migrating import newest_revision

    url = _url()
    upgrade_database(url)
    click.echo(f"{place_of(connect(url).url)}: up to date, revision {newest_revision()}")


@db.command()
def check() -> None:
    """Say where the database is, its revision, and whether it can be written."""
    from server.store.migrating import newest_revision

    engine = connect(_url())
    file = file_of(engine.url) if engine.dialect.name == "sqlite" else None
    if file and not file.exists():
        raise ConfigurationError(f"{SETTING}: {file}: no such file; `serve` makes it, or: myositis-cds db upgrade")
    refuse_unless_current(engine)
    click.echo(f"{place_of(engine.url)}: up to date, revision {newest_revision()}")
    try_writing(engine)
    click.echo("It can be written.")


@db.command()
@click.option("--keep-days", type=click.IntRange(1), default=730, show_default=True, help="For cards shown and feedback.")
@click.option("--keep-comments-days", type=click.IntRange(1), default=365, show_default=True, help="For comments in feedback.")
@click.option(
    "--keep-audit-days",
    type=click.IntRange(1),
    default=2192,  # six years, as docs/audit.md explains
    show_default=True,
    help="For audit records; needs a database user who may delete them.",
)
def purge(keep_days: int, keep_comments_days: int, keep_audit_days: int) -> None:
    """Delete expired tokens, snoozes and launches, old cards shown, feedback, comments and audit records; run it daily.

    What launches of the SMART app hold goes after 15 minutes without use: where the app is used, run it every quarter of an hour.
    """
    from server.auditing.retention import purge_audit
    from server.store.pseudonyms import load_pseudonyms
    from server.store.purging import DAY
    from server.store.purging import purge as purge_database

    now, config = int(time()), Config.from_environment(os.environ)
    engine = open_database(_url())
    purged = purge_database(engine, now=now, keep_days=keep_days, keep_comments_days=keep_comments_days)
    for table, count in asdict(purged).items():
        click.echo(f"{table}: {count} deleted")
    key = load_pseudonyms(engine, config.pseudonym_key_file).key_for("audit")
    click.echo(f"audit_events: {purge_audit(engine, key, (now - keep_audit_days * DAY) * 1000)} deleted")
    engine.dispose()


def _url() -> str:
    """The database, which must be one that outlives this command."""
    url = Config.from_environment(os.environ).database_url
    engine = connect(url)
    if engine.dialect.name == "sqlite" and file_of(engine.url) is None:
        raise ConfigurationError(f"{SETTING}: a database in memory is forgotten with its process; there is nothing to look after")
    return url
