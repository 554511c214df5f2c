"""What an evaluation rests on: terminology and knowledge, the packaged ones or a site's over them (`docs/site-folder.md`)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from cards.knowledge import Knowledge, knowledge, load_knowledge, version_of
from cards.layers import is_whole
from cards.verdicts import RuleError
from fhir_profiles.codes import Terminology, TerminologyError
from server.config import PREFIX, ConfigurationError

SITE = f"{PREFIX}SITE"
"""Environment variable: a folder with what a site adds to the knowledge or overrides."""

SITE_TERMINOLOGY = f"{PREFIX}TERMINOLOGY"
"""Environment variable: a folder with a site's own ValueSets and ConceptMaps, besides those of the site folder (decision 5)."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What an evaluation rests on; several can be used side by side. Each is equal to itself only.

    Args:
        terminology: what codes and phrases mean.
        knowledge: the rules, with the clinical definitions that go with them.
    """

    terminology: Terminology
    knowledge: Knowledge


@cache
def packaged_terminology() -> Terminology:
    """The packaged terminology, read once."""
    return Terminology.load()


@cache
def packaged_basis() -> Basis:
    """The packaged terminology and knowledge, read once."""
    return Basis(packaged_terminology(), knowledge())


@cache
def load_basis(site: Path | None = None, terminology: Path | None = None) -> Basis:
    """The packaged terminology and knowledge, with a site's over them; read once for the same folders.

    Args:
        site: a site folder, or a whole knowledge folder that takes the place of the packaged one.
        terminology: a folder with further ValueSets and ConceptMaps.

    Raises:
        ConfigurationError: a folder, or a file in it, cannot be used; the message names it and the remedy.
    """
    if site is None and terminology is None:
        return packaged_basis()
    folders = [folder for folder in (site and site / "valuesets", terminology) if folder]
    try:
        loaded = Terminology.load(*(folder for folder in folders if folder == terminology or folder.is_dir()))
        return Basis(loaded, _covering(terminology, _knowledge(site)))
    except (RuleError, TerminologyError) as error:
        raise ConfigurationError(str(error)) from error


def _knowledge(site: Path | None) -> Knowledge:
    if site is None:
        return knowledge()
    return load_knowledge(site) if is_whole(site) else load_knowledge(site=site)


def _covering(terminology: Path | None, known: Knowledge) -> Knowledge:
    """The knowledge with a version that covers this folder too: its codes decide cards as much as the site's folder does."""
    files = sorted(terminology.glob("*.json")) if terminology else []
    if not files:
        return known
    digest = sha256(known.digest.encode())
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return replace(known, version=version_of(digest.hexdigest()), digest=digest.hexdigest())


def refuse_other_knowledge(known: Knowledge, digest: str | None) -> None:
    """See that the knowledge is the one that was released here (threat SAF-22).

    Args:
        known: as it was read.
        digest: SHA-256 in hexadecimal, as `myositis-cds knowledge` and `/health/ready` name it; None to take any.

    Raises:
        ConfigurationError: it is another.
    """
    if digest is not None and not compare_digest(digest.lower(), known.digest):
        raise ConfigurationError(
            f"{PREFIX}KNOWLEDGE_HASH: the knowledge is not the one with this hash, but {known.version}; restore the files of the "
            "release (and of the site folder), or, if the change was reviewed, set the new hash"
        )


def basis_from(environment: Mapping[str, str]) -> Basis:
    """The basis that the environment asks for.

    Args:
        environment: `os.environ`; read are MYOSITIS_CDS_SITE and MYOSITIS_CDS_TERMINOLOGY.

    Raises:
        ConfigurationError: as for `load_basis`.
    """
    site, terminology = (environment.get(name) for name in (SITE, SITE_TERMINOLOGY))
    return load_basis(Path(site) if site else None, Path(terminology) if terminology else None)
