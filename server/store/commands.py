"""`myositis-cds db …`: for those who look after the database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import time

import click
from sqlalchemy import Engine

from server.config import Config, ConfigurationError
from server.store.database import downgrade_database, open_database, refuse_unless_current, upgrade_database
from server.store.engines import SETTING, connect, place_of
from server.store.revisions import newest_revision
from server.store.sqlite import file_of
from server.store.writing import try_writing


@click.group()
def db() -> None:
    """Look after the database that MYOSITIS_CDS_DATABASE_URL names."""


@db.command()
def upgrade() -> None:
    """Bring the tables up to date; with PostgreSQL, take a backup first.

    An SQLite file does this by itself whenever the service starts, and leaves a backup beside it. PostgreSQL waits for this
    command.
    """
    url = _url()
    upgrade_database(url)
    click.echo(f"{place_of(connect(url).url)}: up to date, revision {newest_revision()}")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="What only newer tables hold may be deleted.")
def downgrade(revision: str, yes: bool) -> None:
    """Bring the tables back to REVISION, for older software; what only newer tables hold is deleted.

    End the service first, and start the older one afterwards: this version would bring an SQLite file up to date again.
    """
    url = _url()
    if not yes:
        raise ConfigurationError("what only newer tables hold would be deleted; take a backup, then add --yes")
    downgrade_database(url, revision)
    click.echo(f"{place_of(connect(url).url)}: back at revision {revision}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Back the database up into FILE, which must not be there yet; the service goes on meanwhile.

    Keep FILE as safe as the database: it holds what clinicians wrote, and perhaps the key of the pseudonyms.
    """
    from server.store.backup import back_up

    revision = back_up(_url_of_what_is_there(), file)
    click.echo(f"{file}: {file.stat().st_size} bytes, revision {revision}, checked")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Even if the database is not empty.")
def restore(file: Path, replace: bool) -> None:
    """Make the backup in FILE the database; end the service first."""
    from server.store.backup import restore as restore_database

    url = _url()
    restored = restore_database(url, file, replace=replace)
    click.echo(f"{place_of(connect(url).url)}: restored from revision {restored.revision}")
    if restored.kept:
        click.echo(f"What was there before is now {restored.kept}; delete it once nobody misses anything.")
    click.echo(_WHAT_A_RESTORE_MEANS)


_WHAT_A_RESTORE_MEANS = """Forgotten is what came after the backup: feedback, cards shown, advice silenced, audit records.
Tokens from before now count as used, since nobody knows any more; for a minute calls are refused because of it (401).
Whoever has the SMART app open must open it again. What was purged since then is back: run myositis-cds db purge."""


@db.command()
def check() -> None:
    """Say where the database is, its revision, and whether it can be written."""
    with _released(connect(_url_of_what_is_there())) as engine:
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
@click.option("--launches-only", is_flag=True, help="Delete what launches of the SMART app hold, and nothing else.")
def purge(keep_days: int, keep_comments_days: int, keep_audit_days: int, launches_only: bool) -> None:
    """Delete expired tokens, snoozes and launches, old cards shown, feedback, comments and audit records; run it daily.

    What launches of the SMART app hold goes after 15 minutes without use: where the app is used, run it with --launches-only
    every quarter of an hour.
    """
    from server.auditing.retention import purge_audit
    from server.store.pseudonyms import load_pseudonyms
    from server.store.purging import DAY, purge_launches
    from server.store.purging import purge as purge_database

    now, config = int(time()), Config.from_environment(os.environ)
    with _released(open_database(_url_of_what_is_there())) as engine:
        if launches_only:
            for table, count in asdict(purge_launches(engine, now=now)).items():
                click.echo(f"{table}: {count} deleted")
            return
        purged = purge_database(engine, now=now, keep_days=keep_days, keep_comments_days=keep_comments_days)
        for table, count in asdict(purged).items():
            click.echo(f"{table}: {count} deleted")
        key = load_pseudonyms(engine, config.pseudonym_key_file).key_for("audit")
        click.echo(f"audit_events: {purge_audit(engine, key, (now - keep_audit_days * DAY) * 1000)} deleted")


@contextmanager
def _released(engine: Engine) -> Iterator[Engine]:
    """A database whose connections are closed at the end, whatever happens."""
    try:
        yield engine
    finally:
        engine.dispose()


def _url() -> str:
    """The database, which must be one that outlives this command."""
    url = Config.from_environment(os.environ).database_url
    engine = connect(url)
    if engine.dialect.name == "sqlite" and file_of(engine.url) is None:
        raise ConfigurationError(f"{SETTING}: a database in memory is forgotten with its process; there is nothing to look after")
    return url


def _url_of_what_is_there() -> str:
    """The same; an SQLite file that is not there is another than the one that the service writes, and is not made."""
    url = _url()
    engine = connect(url)
    file = file_of(engine.url) if engine.dialect.name == "sqlite" else None
    if file and not file.exists():
        raise ConfigurationError(
            f"{SETTING}: {file}: no such file; give this command the service's environment (docs/operating.md), or, where "
            "there never was one: myositis-cds db upgrade"
        )
    return url
