"""The packages that reach a hospital: what `pyproject.toml` asks for, at the versions and hashes of `requirements.lock`.

The lock decides which packages, versions and files; the metadata of the same versions, as `make install` installed them, says
which package needs which, and under which licence. Tools of development (the extra `dev`) are not delivered, and left out.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.supply_chain.licences import licence_of

ROOT = Path(__file__).parent.parent.parent
PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
EXTRAS = ("postgres", "tracing", "cohort", "dask", "sandbox")
"""Extras that a hospital may install, besides what everybody gets."""

# The platform that the lock is resolved for, so that the list is the same on every machine.
_PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


class SupplyChainError(ValueError):
    """The lock, `pyproject.toml` and what is installed do not fit together; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of the lock: an exact version, and the SHA-256 of every file that it may be installed from."""

    version: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """A package that a hospital gets.

    Args:
        name: canonical, as in the lock.
        version: exact.
        hashes: SHA-256 of every file that the lock allows, in hexadecimal.
        extra: the extra that brings it; empty for what everybody gets.
        needs: names of the packages that it needs.
        licence: SPDX expression.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    extra: str
    needs: tuple[str, ...]
    licence: str


def locked(lock: str) -> dict[str, Locked]:
    """The entries of a lock file, by canonical name."""
    entries = re.findall(r"^([\w.-]+)==(\S+) \\\n((?:\s+--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", lock, re.MULTILINE)
    return {
        canonicalize_name(name): Locked(version, tuple(re.findall(r"[0-9a-f]{64}", hashes))) for name, version, hashes in entries
    }


def wanted() -> Mapping[str, Sequence[str]]:
    """What `pyproject.toml` asks for: by extra, the empty one for what everybody gets."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    return {"": project["dependencies"]} | {extra: project["optional-dependencies"][extra] for extra in EXTRAS}


@cache
def delivered() -> tuple[Package, ...]:
    """Every package that a hospital gets, or may ask for, in order of their names.

    Raises:
        SupplyChainError: a package that is needed is not locked, or another version than the locked one is installed.
    """
    lock = locked(LOCK.read_text("utf-8"))
    extras: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    for extra, requirements in wanted().items():
        waiting = [Requirement(one) for one in requirements]
        reached: set[tuple[str, frozenset[str]]] = set()
        while waiting:
            one = waiting.pop()
            name = canonicalize_name(one.name)
            if (place := (name, frozenset(one.extras))) not in reached:
                reached.add(place)
                extras.setdefault(name, extra)
                further = list(_needed_by(name, one.extras, lock))
                needs.setdefault(name, set()).update(canonicalize_name(other.name) for other in further)
                waiting.extend(further)
    return tuple(
        Package(name, lock[name].version, lock[name].hashes, extras[name], tuple(sorted(needs[name])), licence_of(name))
        for name in sorted(extras)
    )


def _needed_by(name: str, extras: set[str], lock: Mapping[str, Locked]) -> Iterator[Requirement]:
    """What a package needs on the platform of the lock, with some of its extras."""
    if name not in lock:
        raise SupplyChainError(f"{name}: needed, and not in requirements.lock; run make lock")
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise SupplyChainError(f"{name}: not installed; run make install") from None
    if installed.version != lock[name].version:
        raise SupplyChainError(f"{name}: another version than the locked one is installed; run make install")
    platform = {key: str(value) for key, value in default_environment().items()} | _PLATFORM
    for text in installed.requires or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate(platform | {"extra": extra}) for extra in ("", *extras)):
            yield one
