"""The bill of materials: `build/myositis-cds-VERSION.cdx.json`, CycloneDX 1.6, of what a hospital gets (SUP-02).

Made at release and not kept in the repository, because nothing in it is new: it has no time and no chance number, so whoever has
the commit makes the same bytes. Run `python -m scripts.supply_chain.sbom`, or `make sbom`.
"""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.supply_chain.packages import LOCK, PYPROJECT, ROOT, Package, delivered, wanted


def sbom() -> str:
    """The bill as JSON text."""
    packages = delivered()
    components = {package.name: _component(package) for package in packages}
    itself = _itself()
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"{itself.name} {itself.version} {LOCK.read_text('utf-8')}"),
        metadata=BomMetaData(component=itself),
        components=components.values(),
        dependencies=[
            Dependency(itself.bom_ref, [Dependency(components[name].bom_ref) for name in _asked_for()]),
            *_dependencies(packages, components),
        ],
    )
    bom.metadata.timestamp = None  # type: ignore[assignment] # optional in CycloneDX
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _itself() -> Component:
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    return Component(
        bom_ref=project["name"],
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
    )


def _component(package: Package) -> Component:
    purl = PackageURL("pypi", name=package.name, version=package.version)
    return Component(
        bom_ref=str(purl),
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=purl,
        scope=ComponentScope.OPTIONAL if package.extra else ComponentScope.REQUIRED,
        licenses=[LicenseFactory().make_from_string(package.licence)],
        properties=[Property(name="myositis-cds:extra", value=package.extra)] if package.extra else [],
        # The lock allows several files of one version (one for each platform); a component's own hash could name only one.
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(f"https://pypi.org/project/{package.name}/{package.version}/#files"),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in package.hashes],
            )
        ],
    )


def _asked_for() -> Sequence[str]:
    return sorted({canonicalize_name(Requirement(one).name) for requirements in wanted().values() for one in requirements})


def _dependencies(packages: Sequence[Package], components: dict[str, Component]) -> Sequence[Dependency]:
    return [
        Dependency(components[package.name].bom_ref, [Dependency(components[name].bom_ref) for name in package.needs])
        for package in packages
    ]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / f"myositis-cds-{_itself().version}.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(sbom(), "utf-8")
    sys.stdout.write(f"{target}\n")
