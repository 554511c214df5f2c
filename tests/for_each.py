"""Many small cases as one test: a case of a millisecond costs ten as a test of its own."""

import inspect
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import Any

import pytest


def for_each(names: str | tuple[str, ...], cases: Iterable[Any], ids: Callable[[Any], object] = str) -> Callable[[Any], Any]:
    """As `pytest.mark.parametrize`, but one test, which says every case that fails.

    Args:
        names: parameters of the test, with commas between them or as a tuple; the others are fixtures.
        cases: values, or tuples of as many values as there are names; at least one.
        ids: what to call a value.
    """
    of_case = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    listed = list(cases)
    assert listed, "a test of no cases shows nothing"
    assert callable(ids)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def try_each(**fixtures: Any) -> None:
            failed = []
            for case in listed:
                values = (case,) if len(of_case) == 1 else case
                named = ", ".join(str(ids(value)) for value in values)
                try:
                    with _Named(named):
                        test(**fixtures, **dict(zip(of_case, values, strict=True)))
                except (AssertionError, pytest.fail.Exception) as error:  # another error ends the test, with its own traceback
                    failed.append(f"{named}: {error}")
            assert not failed, "\n".join(failed)

        parameters = inspect.signature(test).parameters
        fixtures = [parameter for name, parameter in parameters.items() if name not in of_case]
        try_each.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]
        return try_each

    return decorate


class _Named(AbstractContextManager[None]):
    """Whatever is raised within says of which case it is."""

    def __init__(self, case: str) -> None:
        self._case = case

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error:
            error.add_note(self._case)
