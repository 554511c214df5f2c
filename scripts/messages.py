"""Bring `server/languages/locale/` up to date: what there is to translate, and the files of the translators.

Run `python scripts/messages.py` after a change of words; `--check` only compares. New texts come in empty, those that are gone
go, and what is translated stays.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from server.languages.catalogue import ENGLISH, LANGUAGES, LOCALE, read_file
from server.languages.collecting import collect
from server.languages.po_files import as_po, updated


def files(folder: Path = LOCALE) -> Iterator[tuple[Path, bytes]]:
    """Every file as it should be.

    Args:
        folder: where the translations are until now.
    """
    found = collect()
    yield folder / "messages.pot", as_po(updated(found), "Everything that there is to translate. Made by scripts/messages.py.")
    for language in LANGUAGES:
        if language != ENGLISH:
            path = folder / f"{language}.po"
            written = read_file(language, folder) if path.exists() else None
            yield (
                path,
                as_po(updated(found, written, language), "The translation. Texts by hand, the rest by scripts/messages.py."),
            )


def main() -> int:
    """Write the files; with `--check`, tell which are stale."""
    stale = [(path, content) for path, content in files() if not path.exists() or path.read_bytes() != content]
    if "--check" in sys.argv[1:]:
        for path, _ in stale:
            sys.stderr.write(f"{path.name} is stale: run python scripts/messages.py\n")
        return 1 if stale else 0
    for path, content in stale:
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
