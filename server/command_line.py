"""`myositis-cds`: the command line.

Exit codes: 0 with a result; 2 for input or settings that cannot be used, with one line on stderr; 1 where the machine gets in the
way (a port in use, a database that cannot be written). Modules are imported where they are needed, so that a command does not
wait for what it does not use.
"""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from server.config import Config
    from server.evaluation import Drafts

UNUSABLE_INPUT = 2
MACHINE_TROUBLE = 1


_ELSEWHERE = {
    "audit": "server.auditing.commands",
    "clients": "server.trust.commands",
    "config": "server.serving.commands",
    "cohort": "server.cohort.commands",
    "connect": "server.connecting.commands",
    "db": "server.store.commands",
    "doctor": "server.connecting.commands",
    "knowledge": "server.knowledge.commands",
    "profile": "server.profiling",
    "report": "server.feedback.commands",
}
"""Commands that live beside what they are about, in a module with a function of the command's name."""


class _Commands(click.Group):
    """Settings that cannot be used end every command in the same way; `_ELSEWHERE` is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands."""
        return sorted((*super().list_commands(ctx), *_ELSEWHERE))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        if cmd_name in _ELSEWHERE:
            command: click.Command = getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
            return command
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from server.config import ConfigurationError
        from server.store.errors import StoreError

        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _give_up(str(error), UNUSABLE_INPUT)
        except StoreError as error:
            _give_up(str(error), MACHINE_TROUBLE)


@click.group(cls=_Commands)
@click.version_option(package_name="myositis-cds", message="%(prog)s %(version)s")
def main() -> None:
    """Decision support for inflammatory myopathy: FHIR R4 in, short cited guideline cards out.

    Not a medical device, not clinically validated.
    """


@main.command()
@click.argument("bundle", metavar="BUNDLE.json", type=click.Path(path_type=Path))
@click.option("--patient", metavar="ID", help="Which patient, where the file holds several.")
@click.option(
    "--draft-orders", metavar="BUNDLE.json", type=click.Path(path_type=Path), help="Orders being written, as in order-sign."
)
@click.option("--as-of", metavar="YYYY-MM-DD", help="Assess for this day instead of today (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--strict", is_flag=True, help="Also hold every resource against the full FHIR models; slow.")
def assess(bundle: Path, patient: str | None, draft_orders: Path | None, as_of: str | None, as_json: bool, strict: bool) -> None:
    """Assess the patient in BUNDLE.json (FHIR R4: a Bundle, a resource, or a list of them)."""
    from server.assessing.chart_input import evaluate_chart, parse_day
    from server.basis import basis_from
    from server.errors import RequestRefusedError

    try:
        chart = _read(bundle)
        evaluation = evaluate_chart(
            chart,
            as_of=_today() if as_of is None else parse_day(as_of, "--as-of"),
            patient_id=patient,
            drafts=_drafts(draft_orders),
            strict=strict,
            basis=basis_from(os.environ),
        )
    except RequestRefusedError as error:
        _give_up(error.text, UNUSABLE_INPUT)
    if as_json:
        import orjson

        from server.assessing.as_json import assess_json

        click.echo(orjson.dumps(assess_json(evaluation), option=orjson.OPT_INDENT_2).decode())
    else:
        from server.assessing.as_text import assess_text

        click.echo(assess_text(evaluation))


@main.command()
@click.option("--host", help="Address to serve on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port; 0 for any free one.  [default: 8000]")
@click.option(
    "--wait-db", metavar="SECONDS", type=click.FloatRange(0, 300), default=0, help="Wait so long for PostgreSQL to start."
)
def serve(host: str | None, port: int | None, wait_db: float) -> None:
    """Serve CDS Hooks over HTTP until told to stop.

    Without registered clients (MYOSITIS_CDS_CLIENTS) the service is open, and serves this machine only.
    """
    from server.observing.logs import log_to_stderr
    from server.observing.processes import figures_folder
    from server.serving.port import bind, url_of
    from server.serving.supervisor import Supervisor

    config = _config(os.environ, host=host, port=port)
    log_to_stderr()
    with figures_folder():
        if wait_db:
            from server.store.waiting import wait_for_database

            wait_for_database(config.database_url, wait_db)
        try:
            listening = bind(config)
        except OSError as error:
            _port_trouble(config.port, error)
        place = url_of(listening)
        served = Supervisor(config, listening, lambda: click.echo(f"myositis-cds serves CDS Hooks on {place}/cds-services"))
        sys.exit(served.run())


@main.command()
@click.option("--port", type=click.IntRange(1, 65534), default=8000, show_default=True, help="Port; the sandbox takes the next.")
def demo(port: int) -> None:
    """Start the service and, beside it, a sandbox EHR with synthetic patients.

    The sandbox is registered with the service; calls from this machine without a token are answered, too.
    """
    from server.demo import DemoError, demo_config, run_demo
    from server.observing.logs import log_to_stderr
    from server.serving.in_process import end_on_signals

    log_to_stderr()
    end_on_signals()
    try:
        with demo_config(os.environ, port) as config:
            run_demo(config, click.echo)
    except OSError as error:
        _port_trouble(port, error)
    except DemoError as error:
        _give_up(str(error), MACHINE_TROUBLE)


def _read(path: Path) -> Any:
    """The JSON in a file.

    Raises:
        RequestRefusedError: it is not JSON.
    """
    from server.errors import NotJsonError
    from server.json_input import parse_json

    try:
        content = path.read_bytes()
    except OSError as error:
        _give_up(f"{path}: cannot be read: {error.strerror}.", UNUSABLE_INPUT)
    try:
        return parse_json(content)
    except NotJsonError as error:
        raise NotJsonError(f"{path}: {error.text}") from None


def _drafts(path: Path | None) -> "Drafts | None":
    from server.assessing.chart_input import is_fhir
    from server.errors import NotFhirError
    from server.evaluation import Drafts

    if path is None:
        return None
    orders = _read(path)
    if not is_fhir(orders):
        raise NotFhirError(f"{path}: not FHIR: expected a Bundle of draft orders.")
    return Drafts(orders)


def _config(environment: Mapping[str, str], *, host: str | None, port: int | None) -> "Config":
    from server.config import Config

    return Config.from_environment(environment, host=host, port=port)


def _port_trouble(port: int, error: OSError) -> NoReturn:
    _give_up(f"port {port} cannot be opened ({error.strerror}); choose another with --port", MACHINE_TROUBLE)


def _give_up(text: str, code: int) -> NoReturn:
    click.echo(f"myositis-cds: {text}", err=True)
    sys.exit(code)


def _today() -> date:
    return datetime.now(UTC).date()
