"""Files that are there whole or not at all, whenever their writer is killed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A stream to beside the place of a file; moved there at the end, and removed if it does not come to one."""
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there."""
    with whole_file(path) as stream:
        stream.write(content)


def write_folder(path: Path, files: dict[str, bytes]) -> None:
    """Write a folder beside its place and move it there; one that is there stays, since who writes twice writes the same."""
    draft = Path(mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    for name, content in files.items():
        write_whole(draft / name, content)
    try:
        draft.rename(path)
    except OSError:
        if not path.is_dir():
            raise
        shutil.rmtree(draft)
