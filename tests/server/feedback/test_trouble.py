"""A database in trouble is told in the log by the kind of what went wrong."""

import pytest

from server.feedback.trouble import log_trouble
from server.store.errors import StoreError
from tests.server.logged import lines


def test_the_kind_is_that_of_the_cause_or_of_the_error_where_there_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caused = StoreError("the database cannot be used now")
    caused.__cause__ = TimeoutError()
    for error in (caused, StoreError("others write")):
        log_trouble(error, "silenced")
    assert lines(caplog) == [f"event=store_trouble doing=silenced error={kind}" for kind in ("TimeoutError", "StoreError")]
