"""The application, as the tests of this room call it: without a network, on the day of the sandbox's stories."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.application import create_app
from server.config import Config
from tests.server.answers import CheckedClient
from tests.server.charts import AS_OF, Json

CONFIG = Config(max_body_bytes=1024 * 1024, today=lambda: AS_OF)


@pytest.fixture(scope="session", autouse=True)
def every_answer_is_checked() -> Iterator[None]:
    """Whoever makes a test client of the application gets one that checks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "test_client_class", CheckedClient)
        yield


@pytest.fixture
def client() -> FlaskClient:
    """A client of the application."""
    return create_app(CONFIG).test_client()


@pytest.fixture
def call(client: FlaskClient) -> Callable[[Json], TestResponse]:
    """Calls the service of the hook that a call names."""

    def send(body: Json) -> TestResponse:
        return client.post(f"/cds-services/myositis-{body['hook']}", json=body)

    return send
