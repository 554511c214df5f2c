"""`myositis-cds report …`: what became of the advice, for those who are responsible for it."""

import os
from datetime import UTC, date, datetime

import click
import orjson

from server.config import Config, ConfigurationError
from server.feedback.figures import LEAST, figures, unknown_figures
from server.feedback.history import Period, shown_cards, unknown_cards
from server.feedback.printed import as_csv, as_json
from server.store.database import connect, refuse_unless_current

_DAY = 86_400
_Day = click.DateTime(("%Y-%m-%d",))


@click.group()
def report() -> None:
    """Print figures out of the database (MYOSITIS_CDS_DATABASE_URL)."""


@report.command("feedback")
@click.option("--since", type=_Day, metavar="YYYY-MM-DD", help="First day (UTC) on which a card was shown.")
@click.option("--until", type=_Day, metavar="YYYY-MM-DD", help="Last day (UTC) on which a card was shown.")
@click.option("--client", metavar="NAME", help="Only this registered client.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option(
    "--least", type=click.IntRange(1), default=LEAST, show_default=True, help="Withhold numbers about fewer patients than this."
)
def feedback(since: datetime | None, until: datetime | None, client: str | None, form: str, least: int) -> None:
    """Print how often each recommendation was shown, accepted, overridden and why, or left without an answer."""
    if since and until and since > until:
        raise ConfigurationError("--since is after --until; name the first day and then the last")
    period = Period(
        since=_midnight(since.date()) if since else None,
        before=_midnight(until.date()) + _DAY if until else None,
        client=client,
    )
    database = connect(
        Config.from_environment(os.environ).database_url, hurried=False
    )  # a year's cards take longer than one call
    refuse_unless_current(database)
    try:
        rows = figures(shown_cards(database, period), least)
        unknown = unknown_figures(unknown_cards(database, period), least)
    finally:
        database.dispose()
    if form == "csv":
        click.echo(as_csv(rows, unknown), nl=False)
        return
    asked = {
        "since": since and since.date().isoformat(),
        "until": until and until.date().isoformat(),
        "client": client,
        "least": least,
    }
    click.echo(orjson.dumps(as_json(rows, unknown, asked), option=orjson.OPT_INDENT_2).decode())


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
