"""One application for all tests of a module: what it keeps of a call changes no answer to the next."""

import pytest
from flask.testing import FlaskClient

from server.application import create_app
from tests.server.conftest import CONFIG


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """A client of the application."""
    return create_app(CONFIG).test_client()
