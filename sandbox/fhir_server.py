"""The FHIR API of the sandbox alone: `python -m sandbox.fhir_server --port 8002 --faults faults.json`."""

import hmac
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click
import waitress
from flask import Flask

from sandbox.access import EVERYTHING, Access
from sandbox.bulk_data.endpoints import bulk_data_blueprint
from sandbox.chart_store import ChartStore
from sandbox.faults import read_faults
from sandbox.fhir_api import fhir_blueprint

HOST = "127.0.0.1"


def create_fhir_server(today: Callable[[], date], *, token: str | None = None, faults: Path | None = None) -> Flask:
    """The API as an application of its own.

    Args:
        today: the day that the stories are moved to.
        token: the one bearer token to ask for; None for an open server.
        faults: file of the faults that are switched on, see `sandbox.faults`.
    """

    def access(given: str) -> Access | None:
        return EVERYTHING if token and hmac.compare_digest(given.encode(), token.encode()) else None

    app = Flask(__name__)
    switched_on = partial(read_faults, faults)
    store, asked = ChartStore(today), access if token else None
    app.register_blueprint(fhir_blueprint(store, access=asked, faults=switched_on))
    app.register_blueprint(bulk_data_blueprint(store, access=asked, faults=switched_on))
    return app


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8002, show_default=True, help="Port on 127.0.0.1; 0 for a free one."
)
@click.option("--token", help="Ask for this bearer token.")
@click.option("--faults", type=click.Path(path_type=Path), help="JSON file of faults by resource type, read at every request.")
@click.option("--as-of", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="The day of the charts; today by default.")
def main(port: int, token: str | None, faults: Path | None, as_of: datetime | None) -> None:
    """Serve the synthetic patients over FHIR R4, on this machine only."""
    day = as_of.date() if as_of else None
    app = create_fhir_server(lambda: day or datetime.now(UTC).date(), token=token, faults=faults)
    listener = socket.create_server((HOST, port))
    click.echo(f"FHIR API with synthetic patients: http://{HOST}:{listener.getsockname()[1]}/fhir")
    waitress.serve(app, sockets=[listener], threads=32, ident=None)


if __name__ == "__main__":
    main()
