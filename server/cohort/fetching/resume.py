"""`export.json`: how far a fetch is, so that one that was killed, or broke off, goes on where it was.

Status URL, manifest, and which files are complete; no token, and nothing of a patient. It is written whole or not at all, and
only its owner can read it, since the address of a file may be all that protects it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from server.cohort.fetching.errors import FetchError
from server.cohort.fetching.manifest import ListedFile, Manifest
from server.cohort.files import write_whole
from server.config import ConfigurationError

NAME = "export.json"
PART = ".part"
"""Ending of what is there of a file."""
TAG = ".tag"
"""Ending of a file with the strong ETag of that part (RFC 9110, section 13.1.5)."""

_VERSION = 1
_WORDS = {"base": "FHIR_BASE", "client_id": "--client-id", "group": "--group", "since": "--since", "types_given": "--type"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a fetch is to bring; who goes on with it has to give the same.

    Args:
        base: FHIR base URL.
        client_id: that the EHR gave us.
        group: id of a Group; None for all patients.
        since: only what was changed later; None for everything.
        types_given: resource types that were chosen; none for those that a cohort run reads.
    """

    base: str
    client_id: str
    group: str | None
    since: str | None
    types_given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the export, and how far it is.

    Args:
        listed: what the manifest says of it.
        lines: that were counted once it was complete; None until then.
    """

    listed: ListedFile
    lines: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it is there as a whole."""
        return self.lines is not None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is.

    Args:
        wish: what it is to bring.
        types: resource types that were asked for; none before the export was begun.
        status_url: of the export; empty before it was begun.
        instant: as of when the export is.
        needs_token: whether a token goes with each request for a file.
        files: None until the export is complete at the EHR.
        is_finished: whether all is here.
    """

    wish: Wish
    types: tuple[str, ...] = ()
    status_url: str = ""
    instant: str = ""
    needs_token: bool = True
    files: tuple[KeptFile, ...] | None = None
    is_finished: bool = False

    def with_manifest(self, manifest: Manifest) -> "Progress":
        """The same, with the files of a manifest to fetch."""
        files = tuple(map(KeptFile, manifest.files))
        return replace(self, instant=manifest.instant, needs_token=manifest.needs_token, files=files)

    def with_file(self, file: KeptFile) -> "Progress":
        """The same, with one file as far as it is now."""
        files = tuple(file if one.listed.name == file.listed.name else one for one in self.files or ())
        return replace(self, files=files)

    def with_addresses(self, manifest: Manifest) -> "Progress | None":
        """The same with addresses of a manifest that was asked for again; None if it is of other files."""
        old, new = self.files or (), {one.name: one for one in manifest.files}
        is_same = [(one.listed.name, one.listed.count) for one in old] == [(one.name, one.count) for one in manifest.files]
        if not is_same or manifest.instant != self.instant:
            return None
        return replace(self, files=tuple(replace(one, listed=new[one.listed.name]) for one in old))


class Folder:
    """The folder that an export is fetched into.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is looked at yet."""
        self.path = path

    def make(self) -> None:
        """See that it is there.

        Raises:
            FetchError: it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FetchError(f"{self.path}: cannot be used as a folder ({error.strerror}).") from error

    def open(self, wish: Wish) -> Progress:
        """How far the fetch is; in an empty folder it has not begun.

        Raises:
            ConfigurationError: the folder holds something else.
            FetchError: it cannot be used.
        """
        try:
            kept = self.path / NAME
            if kept.exists():
                return _going_on(kept, wish)
            if any(not _is_draft(path) for path in self.path.iterdir()):
                raise ConfigurationError(
                    f"--out: {self.path} is not empty, and holds no export that was begun; choose another folder"
                )
        except OSError as error:
            raise FetchError(f"{self.path}: cannot be read ({error.strerror}).") from error
        return Progress(wish)

    def keep(self, progress: Progress) -> None:
        """Write down how far it is.

        Raises:
            FetchError: the folder cannot be written.
        """
        said = orjson.dumps({"version": _VERSION, **asdict(progress)}, option=orjson.OPT_INDENT_2)
        try:
            write_whole(self.path / NAME, said + b"\n")
        except OSError as error:
            raise FetchError(f"{self.path / NAME}: cannot be written ({error.strerror}).") from error

    def clear(self, progress: Progress) -> None:
        """Take away what belongs to an export that is gone, so that another can take its place.

        Raises:
            ConfigurationError: there is something else in the folder too, which is not ours to judge.
            FetchError: the folder cannot be written.
        """
        ours = [self.path / f"{one.listed.name}{ending}" for one in progress.files or () for ending in ("", PART, TAG)]
        try:
            others = [path for path in _all_files(self.path) if path not in {*ours, self.path / NAME} and not _is_draft(path)]
            if others:
                raise ConfigurationError(
                    f"--out: {self.path} holds files that are not of this export, such as {others[0].name}; choose another folder"
                )
            for path in ours:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise FetchError(f"{self.path}: cannot be cleared ({error.strerror}).") from error


def _going_on(kept: Path, wish: Wish) -> Progress:
    try:
        progress = _read(orjson.loads(kept.read_bytes()))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"--out: {kept} cannot be read as what this command keeps; choose another folder") from None
    differs = [word for name, word in _WORDS.items() if getattr(progress.wish, name) != getattr(wish, name)]
    if differs:
        raise ConfigurationError(
            f"--out: {kept.parent} holds another export ({', '.join(differs)} differ). Give the same to go on with it, or choose "
            "another folder"
        )
    return progress


def _read(said: Any) -> Progress:
    """What `Folder.keep` wrote.

    Raises:
        ValueError, KeyError, TypeError: somebody else did.
    """
    if said.pop("version") != _VERSION:
        raise ValueError
    wish = said.pop("wish")
    files = said.pop("files")
    return Progress(
        **{
            **said,
            "wish": Wish(**{**wish, "types_given": tuple(wish["types_given"])}),
            "types": tuple(said["types"]),
            "files": None if files is None else tuple(_kept_files(files)),
        }
    )


def _kept_files(said: Iterable[Any]) -> Iterator[KeptFile]:
    return (KeptFile(**{**one, "listed": ListedFile(**one["listed"])}) for one in said)


def _is_draft(path: Path) -> bool:
    """Whether it is what is left where `export.json`, or the tag of a part, was being written when we were killed."""
    return path.name.startswith(f".{NAME}.") or (path.name.startswith(".") and f"{TAG}." in path.name)


def _all_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_dir())
