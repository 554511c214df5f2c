"""How many of its file handles this process has used up (threat PR-04)."""

import errno
import os
import resource

MOST_USED = 0.9
"""Of those that the machine allows; from then on nobody new should be sent here."""


def are_nearly_used_up() -> bool:
    """Whether the next connections may find no handle any more."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        used = len(os.listdir("/proc/self/fd"))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)  # not even for this one; where there is no /proc nothing is known
    return used >= MOST_USED * allowed
