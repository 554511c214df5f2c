"""Under too much load a call that waited for long is refused before anything is done for it, and a new one is answered."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from threading import Event

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from server.config import THREADS
from server.serving.waited import TOO_LONG_SECONDS, WAITED
from tests.end_to_end.serving import wait_until
from tests.server.charts import ANTI_TIF1, chart, hook_call, prefetch_of
from tests.server.serving.test_channels import port_of, running

PATHS = ("/cds-services/myositis-patient-view", "/assess")


@pytest.mark.parametrize("path", PATHS)
def test_a_call_that_waited_for_too_long_is_refused_and_may_come_again(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data=b"not even read", environ_overrides={WAITED: TOO_LONG_SECONDS + 0.1})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.get_json(force=True)["issue"][0]["diagnostics"].startswith("MYO-1906")


def test_a_call_that_waited_for_less_is_answered(client: FlaskClient) -> None:
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    answer = client.post(PATHS[0], json=call, environ_overrides={WAITED: TOO_LONG_SECONDS - 0.1})
    assert answer.status_code == 200


def test_the_server_knows_how_long_a_request_waited_for_a_thread() -> None:
    app, taken, let_go = Flask(__name__), [], Event()

    @app.get("/busy")
    def busy() -> str:
        taken.append(1)
        let_go.wait(20)
        return ""

    @app.get("/waited")
    def waited() -> str:
        return str(request.environ[WAITED])

    with running(app) as server, ThreadPoolExecutor(THREADS + 1) as pool:

        def ask(path: str) -> str:
            with closing(HTTPConnection("127.0.0.1", port_of(server), timeout=30)) as connection:
                connection.request("GET", path)
                return connection.getresponse().read().decode()

        assert float(ask("/waited")) < 0.2
        holding = [pool.submit(ask, "/busy") for _ in range(THREADS)]
        wait_until(lambda: len(taken) == THREADS)
        late = pool.submit(ask, "/waited")
        wait_until(lambda: len(server.task_dispatcher.queue) == 1)
        Event().wait(0.3)
        let_go.set()
        assert float(late.result()) > 0.3
        assert {one.result() for one in holding} == {""}
