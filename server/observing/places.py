"""Where in the source an exception came from: all that is ever written down of it besides its kind (ERR-01)."""

import traceback
from pathlib import Path
from types import TracebackType

_FRAMES = 5


def place_of(trace: TracebackType | None) -> str:
    """The innermost frames, as `module.function:line`, outermost first."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return ">".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames)
