"""The application, as the tests of this room call it: without a network, on the day of the sandbox's stories."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.application import create_app
from server.config import Config
from tests.server.answers import check_answer
from tests.server.charts import AS_OF, Json

CONFIG = Config(max_body_bytes=1024 * 1024, today=lambda: AS_OF)


@pytest.fixture
def client() -> FlaskClient:
    """A client of the application."""
    return create_app(CONFIG).test_client()


@pytest.fixture
def call(client: FlaskClient) -> Callable[[Json], TestResponse]:
    """Calls the service of the hook that a call names; the answer is held against the rules that all answers keep."""

    def send(body: Json) -> TestResponse:
        response = client.post(f"/cds-services/myositis-{body['hook']}", json=body)
        check_answer(response.status_code, response.headers, response.get_data())
        return response

    return send
