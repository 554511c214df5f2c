"""How long a request has waited for a thread: under too much load what came long ago is refused, and what came just now answered.

A queue that is answered in its order is late for everybody once it is long, and goes on being late as long as as much comes in as
can be answered. What was refused costs next to nothing.
"""

from collections.abc import Mapping
from typing import Any

from server.errors import TooLateError

WAITED = "myositis_cds.waited"
"""In the WSGI environment: seconds from the end of the request to a thread that takes it."""

TOO_LONG_SECONDS = 5.0
"""Ten times the time in which CDS Hooks 2.0.1 asks for the whole answer."""


def refuse_if_late(environ: Mapping[str, Any]) -> None:
    """To be called before anything is looked at, the token too: it can then be used again.

    Args:
        environ: of the request; another server than ours does not say how long it waited.

    Raises:
        TooLateError: it has waited for too long.
    """
    if environ.get(WAITED, 0.0) > TOO_LONG_SECONDS:
        raise TooLateError
