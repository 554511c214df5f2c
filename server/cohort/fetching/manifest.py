"""The manifest of an export: which files there are (Bulk Data Access 2.0, "Response - Complete Status")."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from server.cohort.fetching.addresses import on_origins, origin_in_words
from server.cohort.fetching.errors import FetchError

_KIND = re.compile(r"[A-Z][A-Za-z]{1,60}")
_INSTANT = re.compile(r"[0-9T:.Z+-]{4,40}")
_MOST_FILES = 100_000
_FOLDERS = {"output": "", "deleted": "_deleted/", "error": "_errors/"}
"""Where files of each list go; a cohort run passes over folders whose names begin with an underscore."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of an export.

    Args:
        name: that it gets, below the folder of the export.
        kind: resource type of its lines.
        url: where it is.
        count: of its lines; None where the EHR does not say.
    """

    name: str
    kind: str
    url: str
    count: int | None

    @property
    def is_output(self) -> bool:
        """Whether it holds data, rather than messages or deletions."""
        return "/" not in self.name


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export holds.

    Args:
        instant: as of when; empty where the EHR does not say.
        needs_token: whether a token goes with each request for a file.
        files: all of them.
    """

    instant: str
    needs_token: bool
    files: tuple[ListedFile, ...]


def read_manifest(content: Any, page: str, origins: Collection[str]) -> Manifest:
    """Read a manifest.

    Args:
        content: parsed JSON.
        page: URL that it was read from.
        origins: where its files may be.

    Raises:
        FetchError: it is none, has further pages, or a file is elsewhere.
    """
    if not isinstance(content, dict) or not isinstance(content.get("output"), list):
        raise FetchError(f"{page} says that the export is complete, and gives no manifest with a list `output`.")
    links = content.get("link")
    if isinstance(links, list) and any(isinstance(link, dict) and link.get("relation") == "next" for link in links):
        raise FetchError(f"{page}: the manifest has further pages, which this command did not ask for and does not read.")
    instant = content.get("transactionTime")
    return Manifest(
        instant if isinstance(instant, str) and _INSTANT.fullmatch(instant) else "",
        content.get("requiresAccessToken") is not False,
        tuple(_files(content, page, origins)),
    )


def _files(content: dict[str, Any], page: str, origins: Collection[str]) -> Iterator[ListedFile]:
    numbers: Counter[str] = Counter()
    for part, folder in _FOLDERS.items():
        entries = content.get(part) or []
        if not isinstance(entries, list) or len(entries) > _MOST_FILES:
            raise FetchError(f"{page}: `{part}` of the manifest is no list of at most {_MOST_FILES} files.")
        for position, entry in enumerate(entries, start=1):
            kind, url, count = _entry(entry, f"{page}: file {position} of `{part}` in the manifest")
            safe = on_origins(url, page, origins)
            if safe is None:
                raise FetchError(_elsewhere(f"{page}: file {position} of `{part}` in the manifest", origin_in_words(url, page)))
            numbers[folder + kind] += 1
            yield ListedFile(f"{folder}{kind}.{numbers[folder + kind]:04}.ndjson", kind, safe, count)


def _entry(entry: Any, place: str) -> tuple[str, str, int | None]:
    kind, url = (entry.get("type"), entry.get("url")) if isinstance(entry, dict) else (None, None)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind) or not isinstance(url, str):
        raise FetchError(f"{place} has no type and url.")
    count = entry.get("count")
    return kind, url, count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _elsewhere(place: str, origin: str) -> str:
    return (
        f"{place} is on {origin}, not on the server that was named, so nothing was asked for there and no token left. If the EHR "
        f"really keeps its files there, give the same command with --file-origin {origin if '://' in origin else 'ORIGIN'}."
    )
