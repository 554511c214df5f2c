"""`myositis-cds report …`: what became of the advice, for those who are responsible for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click
import orjson
from sqlalchemy import Engine

from server.config import Config, ConfigurationError
from server.feedback.figures import figures, unknown_figures
from server.feedback.history import Period, shadow_calls_of, shown_cards, unknown_cards
from server.feedback.printed import as_csv, as_json, as_text
from server.feedback.shadow_figures import call_figures
from server.feedback.shadow_printed import shadow_as_csv, shadow_as_json, shadow_as_text
from server.small_numbers import LEAST
from server.store.database import connect, refuse_unless_current

_DAY = 86_400
_Day = click.DateTime(("%Y-%m-%d",))

_OPTIONS = (
    click.option("--since", type=_Day, metavar="YYYY-MM-DD", help="First day (UTC) that is counted."),
    click.option("--until", type=_Day, metavar="YYYY-MM-DD", help="Last day (UTC) that is counted."),
    click.option("--client", metavar="NAME", help="Only this registered client."),
    click.option("--format", "form", type=click.Choice(["json", "csv", "text"]), default="json", show_default=True),
    click.option(
        "--least",
        type=click.IntRange(1),
        default=LEAST,
        show_default=True,
        help="Withhold numbers about fewer patients than this.",
    ),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def report() -> None:
    """Print figures out of the database (MYOSITIS_CDS_DATABASE_URL)."""


@report.command("feedback")
@_with_options
def feedback(since: datetime | None, until: datetime | None, client: str | None, form: str, least: int) -> None:
    """Print how often each recommendation was shown, accepted, overridden and why, or left without an answer.

    A card counts on the day on which it was shown.
    """
    period = _period(since, until, client)
    with _database() as database:
        rows = figures(shown_cards(database, period), least)
        unknown = unknown_figures(unknown_cards(database, period), least)
    if form == "csv":
        click.echo(as_csv(rows, unknown), nl=False)
    elif form == "text":
        click.echo(as_text(rows, unknown))
    else:
        _echo_json(as_json(rows, unknown, _asked(since, until, client, least)))


@report.command("shadow")
@_with_options
def shadow(since: datetime | None, until: datetime | None, client: str | None, form: str, least: int) -> None:
    """Print what clients in shadow mode would have been shown: cards to a call, calls without one, and the advice on them."""
    period = _period(since, until, client)
    with _database() as database:
        calls = call_figures(shadow_calls_of(database, period), least)
        advice = figures(shown_cards(database, period, is_shadow=True), least)
    if form == "csv":
        click.echo(shadow_as_csv(calls, advice), nl=False)
    elif form == "text":
        click.echo(shadow_as_text(calls, advice))
    else:
        _echo_json(shadow_as_json(calls, advice, _asked(since, until, client, least)))


def _period(since: datetime | None, until: datetime | None, client: str | None) -> Period:
    if since and until and since > until:
        raise ConfigurationError("--since is after --until; name the first day and then the last")
    return Period(
        since=_midnight(since.date()) if since else None,
        before=_midnight(until.date()) + _DAY if until else None,
        client=client,
    )


@contextmanager
def _database() -> Iterator[Engine]:
    database = connect(
        Config.from_environment(os.environ).database_url, hurried=False
    )  # a year's cards take longer than one call
    refuse_unless_current(database)
    try:
        yield database
    finally:
        database.dispose()


def _asked(since: datetime | None, until: datetime | None, client: str | None, least: int) -> dict[str, Any]:
    return {
        "since": since and since.date().isoformat(),
        "until": until and until.date().isoformat(),
        "client": client,
        "least": least,
    }


def _echo_json(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
