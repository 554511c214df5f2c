"""What systemd is told, where it started us (sd_notify(3)); elsewhere nothing."""

import os
import socket
from collections.abc import Mapping

READY = "READY=1"
RELOADING = "RELOADING=1"
STOPPING = "STOPPING=1"


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Say what this process is doing.

    Args:
        state: one of the above.
        environment: names the socket in NOTIFY_SOCKET; a name that begins with @ is of the abstract namespace.
    """
    name = environment.get("NOTIFY_SOCKET")
    if not name:
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        try:
            telling.sendto(state.encode(), address)
        except OSError:
            return  # whoever was to be told is gone, which is no reason to stop serving
