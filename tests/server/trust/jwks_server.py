"""A web server on this machine that publishes JWK Sets, as well or as badly as a test wants."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.server.trust.ehrs import Json

Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class JwksServer:
    """What it answers, by path, and what it was asked."""

    url: str
    answers: dict[str, Answering] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, path: str, document: Json | bytes, status: int = 200, **headers: str) -> str:
        """Answer so from now on; the URL."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url + path


@contextmanager
def jwks_server() -> Iterator[JwksServer]:
    """Run one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.asked.append(self.path)
            if self.path in published.answers:
                published.answers[self.path](self)
            else:
                self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        published = JwksServer(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield published
        finally:
            server.shutdown()
            thread.join()
