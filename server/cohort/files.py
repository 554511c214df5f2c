"""Files that are there whole or not at all, whenever their writer is killed."""

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp, mkstemp


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there."""
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)


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
