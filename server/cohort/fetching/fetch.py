"""The whole of a fetch: begin an export or go on with one, wait for it, fetch its files, and let the EHR know."""

import fcntl
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from fhir_profiles.elements import objects
from server.cohort.fetching.addresses import on_origins, origin_of_base
from server.cohort.fetching.backend_token import BackendTokens
from server.cohort.fetching.connection import Connection
from server.cohort.fetching.discovery import Discovered, discover, types_that_it_has
from server.cohort.fetching.download import Download, LinkOverError
from server.cohort.fetching.errors import FetchError, JobFailedError, JobGoneError
from server.cohort.fetching.export_job import Waiting, delete, kick_off, wait_for_manifest
from server.cohort.fetching.manifest import ListedFile
from server.cohort.fetching.resume import Folder, Progress, Wish
from server.cohort.fetching.scopes import not_granted, scopes_for
from server.cohort.fetching.signing_key import ClientKeys
from server.cohort.fetching.wire import Wire

Tell = Callable[[str], None]

_KEEP_SECONDS = 2.0
"""So often at most it is written down that a file is complete: one that has its name is so anyway, and there may be thousands."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a fetch needs to know.

    Args:
        wish: what to bring.
        out: the folder that it goes to.
        keys: to sign with.
        token_url: the token endpoint; None for the one that the EHR's configuration names.
        scope: to ask for, instead of one scope to each type; empty for that.
        file_origins: where files may be besides the FHIR server.
        wire: how servers are reached.
        waiting: how long to wait.
    """

    wish: Wish
    out: Path
    keys: ClientKeys
    token_url: str | None
    scope: str
    file_origins: tuple[str, ...]
    wire: Wire
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought.

    Args:
        instant: as of when the export is; empty where the EHR does not say.
        files: how many files of data.
        resources: how many there are, by type.
        deleted: how many lines say what was deleted.
        messages: how many issues the EHR reports with the export, by severity.
    """

    instant: str
    files: int
    resources: Counter[str]
    deleted: int
    messages: Counter[str]

    @property
    def is_whole(self) -> bool:
        """Whether the EHR reports no error."""
        return not self.messages["error"] and not self.messages["fatal"]


def fetch_export(settings: Settings, tell: Tell) -> Fetched:
    """Fetch an export whole; what was fetched before is not fetched again.

    Args:
        settings: what to bring, and how.
        tell: is told, for people, what is going on.

    Raises:
        ConfigurationError: the folder holds something else.
        FetchError: it cannot be fetched now.
    """
    folder = Folder(settings.out)
    folder.make()
    with _alone(settings.out):
        progress = folder.open(settings.wish)
        if not progress.is_finished:
            progress = _Fetch(settings, folder, tell).run(progress)
        else:
            tell("everything is here already, so nothing was asked for")
    return _summed_up(settings.out, progress)


class _Fetch:
    """One run of the command."""

    def __init__(self, settings: Settings, folder: Folder, tell: Tell) -> None:
        self._settings, self._folder, self._tell = settings, folder, tell
        self._kept_at = -math.inf
        self._discovered = Discovered(settings.token_url) if settings.token_url else discover(settings.wish.base, settings.wire)
        self._tokens = BackendTokens(
            self._discovered, settings.wish.client_id, settings.keys, settings.wire, settings.waiting.clock
        )
        origins = frozenset({origin_of_base(settings.wish.base), *settings.file_origins})
        self._connection = Connection(settings.wish.base, origins, self._tokens, settings.wire)

    def run(self, progress: Progress) -> Progress:
        """Go on to the end; where the export is gone that was begun by another run, begin once more."""
        goes_on = bool(progress.status_url)
        try:
            return self._run(progress)
        except JobGoneError as error:
            if not goes_on:
                raise JobGoneError(f"{error}. Give the same command to begin another one.") from error
            self._tell(f"{error}: what was fetched of it is taken away, and another one is begun")
            self._folder.clear(self._folder.open(progress.wish))
            return self._run(self._kept(Progress(progress.wish)))

    def _run(self, progress: Progress) -> Progress:
        if not progress.status_url:
            progress = self._begun(progress)
        else:
            self._ask_for_scopes(progress.types)
            self._tell("going on with the export that was begun")
        if progress.files is None:
            progress = self._kept(self._with_manifest(progress))
        for number, file in enumerate(progress.files or (), start=1):
            if not file.is_complete:
                progress = self._with_file(progress, file.listed)
                self._tell(f"{file.listed.name} ({number} of {len(progress.files or ())})")
        progress = self._kept(replace(progress, is_finished=True))
        if problem := delete(self._connection, progress.status_url):
            self._tell(f"all is here, but the EHR could not be told that its files can go: {problem}; they expire by themselves")
        return progress

    def _begun(self, progress: Progress) -> Progress:
        wish = progress.wish
        types = self._granted_types(wish.types_given or types_that_it_has(wish.base, self._settings.wire))
        status_url = kick_off(self._connection, wish.group, types, wish.since, self._settings.waiting)
        self._tell(f"the EHR has begun an export of {', '.join(types)}")
        return self._kept(replace(progress, types=types, status_url=status_url))

    def _granted_types(self, types: tuple[str, ...]) -> tuple[str, ...]:
        """The types that a token covers; all of them, where they were chosen."""
        self._ask_for_scopes(types)
        missing = not_granted(types, self._tokens.current().scope)
        if not missing:
            return types
        if self._settings.wish.types_given or len(missing) == len(types):
            raise FetchError(
                f"the EHR grants this client no scope for {', '.join(missing)}, or for a part only. Ask its team for "
                "system/TYPE.rs, or leave them out with --type."
            )
        self._tell(f"not granted, so not asked for: {', '.join(missing)}; a cohort run counts them as not supplied")
        left = tuple(kind for kind in types if kind not in missing)
        self._ask_for_scopes(left)
        return left

    def _ask_for_scopes(self, types: tuple[str, ...]) -> None:
        self._tokens.ask_for(self._settings.scope or scopes_for(types, is_v1=self._discovered.is_v1))

    def _with_manifest(self, progress: Progress) -> Progress:
        try:
            manifest = wait_for_manifest(self._connection, progress.status_url, self._settings.waiting, self._tell)
        except JobFailedError as error:
            self._kept(Progress(progress.wish))  # nothing was fetched of it
            raise JobFailedError(f"{error}. Give the same command to begin another one.") from error
        return progress.with_manifest(manifest)

    def _with_file(self, progress: Progress, listed: ListedFile) -> Progress:
        """Fetch one file; where its address is no longer good, with the one that the manifest has by now (Bulk Data Access 3.0,
        "Bulk Data Output File Request")."""
        try:
            return self._fetched(progress, listed.name)
        except LinkOverError:
            manifest = wait_for_manifest(self._connection, progress.status_url, self._settings.waiting, self._tell)
            renewed = progress.with_addresses(manifest)
            if renewed is None:
                raise JobGoneError("the EHR now lists other files for the export than those that were begun with") from None
            return self._fetched(self._kept(renewed), listed.name)

    def _fetched(self, progress: Progress, name: str) -> Progress:
        file = next(one for one in progress.files or () if one.listed.name == name)
        origins = self._connection.origins
        if on_origins(file.listed.url, self._settings.wish.base, origins) is None:
            raise FetchError(
                f"{name}: is on an origin that was declared before, and is not now; give the same --file-origin again."
            )

        download = Download(self._connection, self._settings.out, progress.needs_token, self._settings.waiting)
        progress = progress.with_file(replace(file, lines=download.fetch(file.listed)))
        is_due = self._settings.waiting.clock() >= self._kept_at + _KEEP_SECONDS
        return self._kept(progress) if is_due else progress

    def _kept(self, progress: Progress) -> Progress:
        self._folder.keep(progress)
        self._kept_at = self._settings.waiting.clock()
        return progress


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against another run of this command; the system lets go of it when we are killed.

    Raises:
        FetchError: there is one.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FetchError(f"{folder}: another fetch is at work in this folder.") from None


def _summed_up(folder: Path, progress: Progress) -> Fetched:
    files = progress.files or ()
    resources: Counter[str] = Counter()
    for file in files:
        if file.listed.is_output:
            resources[file.listed.kind] += file.lines or 0
    in_folders = {name: [one for one in files if one.listed.name.startswith(name)] for name in ("_deleted/", "_errors/")}
    return Fetched(
        progress.instant,
        sum(file.listed.is_output for file in files),
        resources,
        sum(file.lines or 0 for file in in_folders["_deleted/"]),
        Counter(severity for file in in_folders["_errors/"] for severity in _severities(folder / file.listed.name)),
    )


def _severities(path: Path) -> Iterator[str]:
    """The severity of each issue in a file of OperationOutcomes; what cannot be read counts as an error."""
    with path.open("rb") as stream:
        for line in filter(bytes.strip, stream):
            try:
                content = orjson.loads(line)
            except ValueError:
                content = None
            issues = objects(content.get("issue")) if isinstance(content, dict) else []
            for issue in issues or [{}]:
                said = issue.get("severity")
                yield said if said in ("fatal", "warning", "information") else "error"
