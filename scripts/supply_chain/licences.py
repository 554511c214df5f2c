"""Under which licence a package is, as an SPDX expression, and whether that is on our list (SUP-04).

New packages say it in SPDX themselves. What older ones say is turned into SPDX by `licences.yaml`, word for word: words that
nobody has looked at yet are an error, never a guess.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml
from license_expression import AND, OR, ExpressionError, LicenseExpression, get_spdx_licensing

_FILE = Path(__file__).parent / "licences.yaml"


class LicenceError(ValueError):
    """A package whose licence is not known; the message names the package and what to do."""


_licensing = cache(get_spdx_licensing)  # reads every licence there is


@cache
def policy() -> dict[str, Any]:
    """The lists of `licences.yaml`."""
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return found


def licence_of(name: str) -> str:
    """The licence of an installed package.

    Raises:
        LicenceError: it states none, or in words that `licences.yaml` does not know.
    """
    metadata = distribution(name).metadata
    stated = [metadata.get("License-Expression"), metadata.get("License"), *_classifiers(metadata.get_all("Classifier") or ())]
    return spdx(name, [words for words in stated if words and words != "UNKNOWN"])


def spdx(name: str, stated: Iterable[str]) -> str:
    """The first of what a package states that is an SPDX expression, or known to mean one.

    Raises:
        LicenceError: none is.
    """
    for words in stated:
        expression = str(policy()["words"].get(words, words))
        if _is_spdx(expression):
            return expression
    raise LicenceError(
        f"{name}: states no licence that is known; read it, and add what it says to scripts/supply_chain/licences.yaml"
    )


def is_allowed(expression: str, *, is_optional: bool) -> bool:
    """Whether a package may be delivered.

    Args:
        expression: SPDX.
        is_optional: only an extra brings it.
    """
    allowed = {*policy()["allowed"], *(policy()["allowed_in_extras"] if is_optional else ())}
    return _holds(_licensing().parse(expression), allowed)


def _holds(expression: LicenseExpression, allowed: set[str]) -> bool:
    if isinstance(expression, AND):
        return all(_holds(part, allowed) for part in expression.args)
    if isinstance(expression, OR):
        return any(_holds(part, allowed) for part in expression.args)
    return str(expression) in allowed


def _is_spdx(expression: str) -> bool:
    try:
        _licensing().parse(expression, validate=True)
    except ExpressionError:
        return False
    return True


def _classifiers(classifiers: Iterable[str]) -> list[str]:
    return [one.split(" :: ")[-1] for one in classifiers if one.startswith("License :: ")]
