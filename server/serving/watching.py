"""A process looks at itself now and then, also where nobody asks: what changed is logged, and keys and figures stay fresh."""

import time
from threading import Thread
from typing import Never

from flask import Flask

from server.condition import CONDITION, Condition
from server.observing.machine import look
from server.runtime import Runtime

LOOK_SECONDS = 30.0


def watch(app: Flask, runtime: Runtime) -> None:
    """Begin to look, in a thread that ends with the process; so after the fork, and once the service is warm.

    Args:
        app: the application.
        runtime: its parts.
    """
    Thread(target=_watch, args=(app, runtime), name="watch", daemon=True).start()


def _watch(app: Flask, runtime: Runtime) -> Never:
    condition: Condition = app.extensions[CONDITION]
    while True:
        runtime.gate.warm()
        condition.look()
        look(app, runtime)
        time.sleep(LOOK_SECONDS)
