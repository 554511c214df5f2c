"""`myositis-cds connect` and `myositis-cds doctor`: for those who connect an EHR."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.config import Config, ConfigurationError

if TYPE_CHECKING:
    from server.connecting.sheet import Sheet

UNUSABLE = 2

_client = click.option("--client", "name", metavar="NAME", help="A registered client.")


@click.command()
@click.option("--print", "is_printed", is_flag=True, help="Print the sheet, instead of saying where it is.")
@_client
@click.option("--format", "form", type=click.Choice(("text", "html", "json")), help="How to print the sheet.  [default: text]")
@click.option("--example", "service", metavar="SERVICE", help="Print the example call of one service, as JSON.")
def connect(is_printed: bool, name: str | None, form: str | None, service: str | None) -> None:
    """Print the connection sheet: what an EHR analyst types by hand.

    With --client it is the sheet of one EHR: its dialect, audiences, links and servers. It holds no secret.
    """
    config = Config.from_environment(os.environ)
    if not (is_printed or name or form or service):
        click.echo(f"{config.public_url}/connect")
        return
    sheet = _sheet(config, name)
    click.echo(_example(sheet, service) if service else _in_form(sheet, form or "text", config))


@click.command()
@_client
@click.option(
    "--request",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The body of a hook call, as an EHR sent it (JSON); nothing of it is printed.",
)
@click.option("--probe", "url", metavar="URL", help="Where the service runs: send it made-up patients, and judge what it says.")
@click.option(
    "--token",
    "tokens",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="For --probe: a file with tokens (JWT) that the service lets in: a line for each service, or one for all.",
)
def doctor(name: str | None, path: Path | None, url: str | None, tokens: Path | None) -> None:
    """Say what would fail, which requirement that is about, and what to do.

    Looks at the settings, the database, the knowledge, and at the keys and FHIR servers of the registered clients; with --probe,
    at the running service alone. Exit code 0 if nothing failed, 2 otherwise.
    """
    from server.connecting.doctor import examine
    from server.connecting.findings import has_failed
    from server.connecting.probe import probe_service
    from server.connecting.request_walk import read_request

    config = Config.from_environment(os.environ)
    findings = []
    to_say = probe_service(url, config, name, tokens) if url else examine(config, name, read_request(path) if path else None)
    for finding in to_say:
        click.echo(finding)
        findings.append(finding)
    if has_failed(findings):
        sys.exit(UNUSABLE)


def _sheet(config: Config, name: str | None) -> "Sheet":
    from server.basis import load_basis
    from server.connecting.sheet import ANY_CLIENT, make_sheet
    from server.trust.clients_file import load_clients

    client = ANY_CLIENT
    if name:
        registered = {client.name: client for client in (load_clients(config.clients, config.site) if config.clients else ())}
        if name not in registered:
            known = ", ".join(sorted(registered)) or "none (set MYOSITIS_CDS_CLIENTS)"
            raise ConfigurationError(f"no client has the name {name}; registered are {known}")
        client = registered[name]
    return make_sheet(config, load_basis(config.site, config.terminology), client)


def _in_form(sheet: "Sheet", form: str, config: Config) -> str:
    from server.connecting.as_text import as_text
    from server.connecting.page import as_html, json_text

    if form == "json":
        return json_text(sheet.as_json())
    if form == "text":
        return as_text(sheet)
    from dataclasses import replace

    from server.application import create_app

    with create_app(replace(config, database_url="sqlite://")).app_context():
        return as_html(sheet)


def _example(sheet: "Sheet", service: str) -> str:
    from server.connecting.page import json_text

    by_service = {example.service: example for example in sheet.examples}
    if service not in by_service:
        raise ConfigurationError(f"there is no service {service}; there are {', '.join(by_service)}")
    return json_text(by_service[service].request)
