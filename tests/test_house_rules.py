"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("server", "cards", "fhir_profiles", "sandbox")
SOURCES = sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def modules_imported_by(source: str) -> Iterator[str]:
    """Every module that an import statement names; `from a import b` counts as `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names_fhir_r5(module: str) -> bool:
    """`fhir.resources` is R5 at its top level; only its R4B package is ours."""
    return re.match(r"fhir\.resources(?!\.R4B(\.|$))(\.|$)", module) is not None


def test_fhir_classes_are_those_of_r4b() -> None:
    imported = ((path, module) for path in SOURCES for module in modules_imported_by((ROOT / path).read_text(encoding="utf-8")))
    assert [(str(path), module) for path, module in imported if names_fhir_r5(module)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import fhir.resources",
        "import fhir.resources.patient",
        "from fhir.resources import get_fhir_model_class",
        "from fhir.resources.patient import Patient",
        "from fhir.resources.R4Bx import Patient",
    ],
)
def test_an_import_of_fhir_r5_is_noticed(statement: str) -> None:
    assert any(names_fhir_r5(module) for module in modules_imported_by(statement))


@pytest.mark.parametrize(
    "statement",
    ["import fhir.resources.R4B", "from fhir.resources import R4B", "from fhir.resources.R4B.patient import Patient"],
)
def test_an_import_of_fhir_r4b_is_welcome(statement: str) -> None:
    assert not any(names_fhir_r5(module) for module in modules_imported_by(statement))


def test_the_lock_names_no_package_registry() -> None:
    requirements = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in requirements if "://" in line or re.match(r"\s*-(?!-hash=)", line)] == []


@pytest.mark.requirement("SUP-03")
def test_every_locked_package_has_one_version_and_a_hash() -> None:
    packages = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n", "", LOCK).strip())
    unlocked = [p for p in packages if not re.match(r"[\w.-]+==\S+ \\\n(\s+--hash=sha256:[0-9a-f]{64}( \\\n)?)+", p)]
    assert unlocked == []
