"""The bare Flask echo: parses the body with orjson, answers a few bytes. It runs under the same server as the service, with the
same threads and the same garbage-collector policy.

What it answers is short on purpose: a slow echo would make the service look fast.
"""

import click
import orjson
from flask import Flask, Response, request

ANSWER_BYTES = 60
"""About so long is what it answers."""


def create_echo() -> Flask:
    """The application."""
    app = Flask(__name__, static_folder=None)

    @app.post("/<path:anything>")
    def echo(anything: str) -> Response:
        call = orjson.loads(request.get_data(cache=False))
        said = {"hookInstance": call["hookInstance"], "kinds": len(call["prefetch"])}
        return Response(orjson.dumps(said), content_type="application/json")

    return app


@click.command()
@click.option("--port", type=int, default=0, show_default=True, help="On 127.0.0.1; 0 for any free one.")
def main(port: int) -> None:
    """Serve it until told to end."""
    from server.config import Config
    from server.http_server import create_http_server
    from server.interpreter import settle
    from server.serving.in_process import end_on_signals
    from server.serving.port import bind, url_of

    end_on_signals()
    settle()
    config = Config(port=port)
    listening = bind(config)
    server = create_http_server(create_echo(), config, listening)
    click.echo(f"the echo serves on {url_of(listening)}/")
    server.run()


if __name__ == "__main__":
    main()
