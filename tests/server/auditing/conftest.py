"""The application with each way to treat a database that takes no record, and EHRs that call it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from server.application import create_app
from server.auditing.trail import Trail, open_trail
from server.runtime import Runtime, open_runtime
from server.store.database import IN_MEMORY, open_database
from tests.server.conftest import CONFIG
from tests.server.feedback.conftest import ByName


@pytest.fixture
def memory() -> Iterator[Engine]:
    """A database in memory."""
    engine = open_database(IN_MEMORY)
    yield engine
    engine.dispose()


Start = Callable[..., tuple[Runtime, FlaskClient]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an application over a database; whoever calls says in a header who it is."""
    trails: list[Trail] = []

    def starts(database: Engine, audit: str = "closed", **more: Any) -> tuple[Runtime, FlaskClient]:
        spill_file = tmp_path / "journal" if audit == "spill" else None
        config = replace(CONFIG, audit=audit, audit_spill_file=spill_file)
        trail = open_trail(audit, spill_file)
        trails.append(trail)
        runtime = replace(open_runtime(CONFIG), config=config, gate=ByName(), database=database, trail=trail, **more)
        app: Flask = create_app(config, runtime=runtime)
        return runtime, app.test_client()

    yield starts
    for trail in trails:
        if trail.carrier:
            trail.carrier.stop()
