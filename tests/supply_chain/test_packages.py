"""What is delivered, its bill of materials and its licences."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.resources import files
from typing import Any
from urllib.parse import urljoin

import pytest
from jsonschema import Draft7Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from scripts.supply_chain import licences_docs
from scripts.supply_chain.licences import LicenceError, is_allowed, policy, spdx
from scripts.supply_chain.locks import LOCKS, stale
from scripts.supply_chain.packages import EXTRAS, LOCK, PYPROJECT, ROOT, Package, delivered, locked
from scripts.supply_chain.sbom import sbom

PROJECT = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def packages() -> dict[str, Package]:
    return {package.name: package for package in delivered()}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return dict(json.loads(sbom()))


@pytest.mark.requirement("SUP-03")
def test_everything_that_is_asked_for_is_locked() -> None:
    extras = PROJECT["optional-dependencies"].values()
    asked = {Requirement(one).name for one in (*PROJECT["dependencies"], *(one for extra in extras for one in extra))}
    assert {canonicalize_name(name) for name in asked} - set(locked(LOCK.read_text("utf-8"))) == set()


@pytest.mark.requirement("SUP-03")
def test_no_tool_of_development_is_delivered(packages: dict[str, Package]) -> None:
    assert {"flask", "werkzeug", "waitress", "pydantic-core"} <= set(packages)
    assert {"pytest", "mypy", "pip-audit", "setuptools", "playwright"} & set(packages) == set()


@pytest.mark.requirement("SUP-03")
def test_what_an_extra_brings_nobody_gets_unasked(packages: dict[str, Package]) -> None:
    assert packages["psycopg-binary"].extra == packages["psycopg"].extra == "postgres"
    assert packages["protobuf"].extra == "tracing"
    assert packages["requests"].extra == ""  # tracing needs it too
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"dev"}


@pytest.mark.requirement("SUP-03")
def test_what_a_hospital_installs_is_what_is_delivered_with_the_same_hashes() -> None:
    assert stale() == [], "run python -m scripts.supply_chain.locks"
    every = locked(LOCK.read_text("utf-8"))
    of_extra = {extra: locked(file.read_text("utf-8")) for extra, file in LOCKS.items()}
    for entries in of_extra.values():
        assert entries.items() <= every.items()
    assert {"flask", "waitress", "cryptography"} <= set(of_extra[""])
    assert {"pytest", "playwright", "atheris", "pip-audit", "setuptools", "psycopg"} & set(of_extra[""]) == set()
    assert set(of_extra["postgres"]) == {"psycopg", "psycopg-binary"}


@pytest.mark.requirement("SUP-02")
def test_the_bill_of_materials_is_valid_cyclonedx(bill: dict[str, Any]) -> None:
    cyclonedx = validator_of_cyclonedx()
    assert list(cyclonedx.iter_errors(bill)) == []
    broken = {key: value for key, value in bill.items() if key not in ("components", "dependencies")} | {
        "components": [{"type": "x"}]
    }
    assert list(cyclonedx.iter_errors(broken)) != []


def validator_of_cyclonedx() -> Draft7Validator:
    """The published schema of version 1.6, and the two that it refers to."""
    names = [f"{name}.SNAPSHOT.schema.json" for name in ("bom-1.6", "spdx", "jsf-0.82")]
    read = {name: json.loads(files("cyclonedx.schema._res").joinpath(name).read_text("utf-8")) for name in names}
    bom = read[names[0]]
    known = Registry().with_resources((urljoin(bom["$id"], name), Resource(one, DRAFT7)) for name, one in read.items())
    return Draft7Validator(bom, registry=known)


@pytest.mark.requirement("SUP-02")
def test_every_package_is_on_the_bill_with_its_hashes_and_its_licence(bill: dict[str, Any], packages: dict[str, Package]) -> None:
    lock = locked(LOCK.read_text("utf-8"))
    components = {one["name"]: one for one in bill["components"]}
    assert set(components) == set(packages)
    for name, component in components.items():
        assert component["version"] == lock[name].version
        hashes = {one["content"] for file in component["externalReferences"] for one in file["hashes"]}
        assert hashes == set(lock[name].hashes) != set()
        assert component["licenses"]
        assert (component["scope"] == "optional") is bool(packages[name].extra)
    assert components["psycopg"]["properties"] == [{"name": "myositis-cds:extra", "value": "postgres"}]


@pytest.mark.requirement("SUP-02")
def test_the_bill_says_what_needs_what(bill: dict[str, Any]) -> None:
    needs = {
        one["ref"].split("@")[0]: {other.split("@")[0] for other in one.get("dependsOn", ())} for one in bill["dependencies"]
    }
    assert "pkg:pypi/flask" in needs["myositis-cds"]
    assert "pkg:pypi/werkzeug" not in needs["myositis-cds"]
    assert "pkg:pypi/werkzeug" in needs["pkg:pypi/flask"]


@pytest.mark.requirement("SUP-02")
def test_the_same_commit_makes_the_same_bill() -> None:
    """Another process, with another order of sets."""
    script = "import sys; from scripts.supply_chain.sbom import sbom; sys.stdout.write(sbom())"
    other = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout == sbom()
    assert "timestamp" not in json.loads(other.stdout)["metadata"]


@pytest.mark.requirement("SUP-04")
def test_every_licence_is_known_and_on_the_list() -> None:
    assert licences_docs.refused() == []
    assert not licences_docs.is_stale(), "run make licences"


@pytest.mark.requirement("SUP-04")
@pytest.mark.parametrize(
    ("expression", "always", "in_extras"),
    [
        ("MIT", True, True),
        ("GPL-3.0-only OR MIT", True, True),
        ("MIT AND GPL-3.0-only", False, False),
        ("LGPL-3.0-only", False, True),
        ("AGPL-3.0-or-later", False, False),
    ],
)
def test_the_lgpl_is_for_extras_and_the_gpl_for_nothing(expression: str, always: bool, in_extras: bool) -> None:
    assert is_allowed(expression, is_optional=False) is always
    assert is_allowed(expression, is_optional=True) is in_extras


@pytest.mark.requirement("SUP-04")
@pytest.mark.parametrize("stated", [[], ["free to use"], ["Proprietary"]])
def test_words_that_nobody_has_read_are_no_licence(stated: list[str]) -> None:
    with pytest.raises(LicenceError, match=r"odd-package: .*licences\.yaml"):
        spdx("odd-package", stated)
    assert spdx("old-package", [*stated, "ZPL 2.1"]) == "ZPL-2.1"


@pytest.mark.requirement("SUP-04")
def test_the_list_of_licences_names_spdx_identifiers_only() -> None:
    for one in (*policy()["allowed"], *policy()["allowed_in_extras"], *policy()["words"].values()):
        assert spdx("", [one]) == one
