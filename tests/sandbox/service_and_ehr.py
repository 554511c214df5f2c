"""The real service and the real EHR, each on a port of its own on this machine, as `myositis-cds demo` starts them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server, socket
from threading import Thread

from flask import Flask
from sqlalchemy import Connection, select
from werkzeug.serving import make_server

from sandbox.ehr import ehr_blueprints
from sandbox.switches import faults_of
from server.application import create_app
from server.config import Config
from server.demo import clients_toml
from server.runtime import Runtime, open_runtime
from server.store.tables import feedback
from tests.sandbox.desks import AS_OF, Ehr, open_ehr


@dataclass(frozen=True)
class Both:
    """A service and an EHR that know each other by URL."""

    ehr: Ehr
    runtime: Runtime
    service_url: str

    def feedback(self) -> list[dict[str, object]]:
        """What the service has kept about its cards, the oldest first."""
        with self.runtime.database.connect() as connection:
            return _rows(connection)


def _rows(connection: Connection) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in connection.execute(select(feedback).order_by(feedback.c.outcome_at))]


@contextmanager
def running(app: Flask, listener: socket) -> Iterator[None]:
    """Serve an application until the end."""
    server = make_server("127.0.0.1", listener.getsockname()[1], app, threaded=True, fd=listener.fileno())
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        listener.close()
        thread.join(timeout=10)


@contextmanager
def both(folder: Path) -> Iterator[Both]:
    """Start the EHR, then the service, as the demo does."""
    with ExitStack() as stack:
        listeners = [create_server(("127.0.0.1", 0)) for _ in range(2)]
        ehr_url, service_url = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in listeners)
        ehr = open_ehr([service_url], ehr_url)
        web = Flask("sandbox")
        for blueprint in ehr_blueprints(ehr.authorization, faults=lambda: faults_of(ehr.desk.switches)):
            web.register_blueprint(blueprint)
        stack.enter_context(running(web, listeners[0]))
        clients = folder / "clients.toml"
        clients.write_text(clients_toml(ehr_url), "utf-8")
        port = listeners[1].getsockname()[1]
        config = Config(port=port, clients=clients, public_url=service_url, open_beside_clients=True, today=lambda: AS_OF)
        runtime = open_runtime(config)
        stack.enter_context(running(create_app(config, runtime=runtime), listeners[1]))
        yield Both(ehr, runtime, service_url)
