"""The program that the supervisor starts: prepares, and then is a generation.

`python -P -m server.serving.program PORT NEWS SUPERVISOR` is given two open file descriptors, the port and where to say that all
workers are ready, and the process id of the supervisor.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence

from server.config import Config
from server.observing.logs import log_to_stderr
from server.serving.signals import END_NOW, Signals, release


def main(arguments: Sequence[str]) -> int:
    """Prepare, and serve until told to end.

    Args:
        arguments: as above.

    Returns:
        The exit code.
    """
    gc.disable()  # nearly all that is loaded stays; `settle` enables it again
    port, tell, supervisor = map(int, arguments)
    signal.signal(END_NOW, signal.SIG_DFL)  # Python has its own; what this process is told ends it at once while it prepares
    release(set())
    log_to_stderr()

    from server.serving.exits import said
    from server.serving.preparing import prepare

    with said():
        config = Config.from_environment(os.environ)
        prepare(config)

    from server.serving.generation import Generation  # with all that a worker does: part of what took so long to load

    return Generation(config, socket.socket(fileno=port), tell, supervisor, Signals()).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
