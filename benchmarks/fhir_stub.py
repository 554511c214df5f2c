"""A FHIR server that has one chart and answers at once: what a call that sends nothing has to fetch. Its answers are made
before."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import click
import orjson

from benchmarks.bodies import hook_call
from benchmarks.calls import empty
from benchmarks.processes import server

BASE = "/fhir"


def answers_of(resources: int) -> Mapping[str, bytes]:
    """What it answers, by resource type.

    Args:
        resources: of the chart.
    """
    prefetch = orjson.loads(hook_call(resources))["prefetch"]
    of_type = {entries["entry"][0]["resource"]["resourceType"]: entries for entries in prefetch.values() if "entry" in entries}
    return {kind: orjson.dumps(one) for kind, one in {"Patient": prefetch["patient"], **of_type}.items()}


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body is written after the headers, and would wait for them to be acknowledged
    answers: Mapping[str, bytes] = {}
    nothing = orjson.dumps(empty())

    def do_GET(self) -> None:
        """Answer a read or a search: the type is all that is looked at."""
        kind = urlsplit(self.path).path.removeprefix(f"{BASE}/").partition("/")[0]
        body = self.answers.get(kind, self.nothing)
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def fhir_server(folder: Path, resources: int) -> Iterator[str]:
    """The server, in a process of its own.

    Args:
        folder: for its log.
        resources: of the chart.

    Returns:
        Its base URL.
    """
    command = [sys.executable, "-m", "benchmarks.fhir_stub", "--resources", str(resources)]
    with server(command, folder / "fhir.log", {}) as serving:
        yield f"http://127.0.0.1:{serving.port}{BASE}"


@click.command()
@click.option("--resources", type=int, required=True, help="Of the chart.")
def main(resources: int) -> None:
    """Serve one chart until told to end."""
    _Answers.answers = answers_of(resources)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as serving:
        click.echo(f"one chart on http://127.0.0.1:{serving.server_port}{BASE}")
        serving.serve_forever()


if __name__ == "__main__":
    main()
