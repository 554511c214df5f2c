"""Start the sandbox: `python -m sandbox --port 8001 --service-url http://127.0.0.1:8000`."""

import click
import waitress

from sandbox.application import create_sandbox

HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--service-url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Base URL of the decision support service.",
)
def main(port: int, service_url: str) -> None:
    """Serve the synthetic patients and the cards that the service gives for them, on this machine only."""
    click.echo(f"Sandbox with synthetic patients: http://{HOST}:{port}/")
    waitress.serve(create_sandbox(service_url, url=f"http://{HOST}:{port}"), host=HOST, port=port, threads=16, ident=None)


if __name__ == "__main__":
    main()
