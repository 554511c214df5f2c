"""Settings for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from server.interpreter import quieten_garbage_collector
from tests.databases import database as database
from tests.databases import database_url as database_url
from tests.databases import empty_database_url as empty_database_url
from tests.databases import migrated_file as migrated_file
from tests.databases import migrated_postgresql as migrated_postgresql
from tests.postgresql import postgresql as postgresql

# The same examples in every run, so that a red build is about the change at hand; to look for new ones:
# `.venv/bin/pytest --hypothesis-profile=explore`. Time is measured by the benchmarks, not by a deadline here.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a started service keeps goes to a temporary folder, not to the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trials take seconds each: first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in {"soak", "trials"})


def pytest_collection_finish() -> None:
    """Ten thousand tests are much to look through for garbage, again and again: it took a third of all the time."""
    quieten_garbage_collector()
