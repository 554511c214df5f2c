"""Start the sandbox: `python -m sandbox --port 8001 --service-url http://127.0.0.1:8000`."""

import json
from pathlib import Path

import click
import waitress

from sandbox.application import create_sandbox
from sandbox.authorization.misbehaviour import read_misbehaviour
from sandbox.faults import read_faults

HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--service-url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Base URL of the decision support service.",
)
@click.option(
    "--misbehaviour",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="SANDBOX_MISBEHAVIOUR",
    show_envvar=True,
    help="JSON file of what the authorization server does wrong; read again at every request.",
)
@click.option(
    "--faults",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file of what the FHIR API and exports suffer from, read at every request.",
)
@click.option(
    "--backend-keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JWK Set with the public keys of a system that may export, as the client `backend`.",
)
@click.option("--open", "is_open", is_flag=True, help="Serve the FHIR API and the launch service without a token too.")
def main(
    port: int, service_url: str, misbehaviour: Path | None, faults: Path | None, backend_keys: Path | None, is_open: bool
) -> None:
    """Serve the synthetic patients and the cards that the service gives for them, on this machine only."""
    click.echo(f"Sandbox with synthetic patients: http://{HOST}:{port}/")
    app = create_sandbox(
        service_url,
        url=f"http://{HOST}:{port}",
        misbehaviour=lambda: read_misbehaviour(misbehaviour),
        is_open=is_open,
        backend_jwks=json.loads(backend_keys.read_text("utf-8")) if backend_keys else None,
        more_faults=lambda: read_faults(faults),
    )
    waitress.serve(app, host=HOST, port=port, threads=16, ident=None)


if __name__ == "__main__":
    main()
