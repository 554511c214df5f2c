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
    """Look once, and then now and then in a thread that ends with the process; so after the fork, and once the service is warm.

    The first look is over when this returns: who asks for the health meanwhile would hear that nobody has looked yet.

    Args:
        app: the application.
        runtime: its parts.
    """
    _look(app, runtime)
    Thread(target=_watch, args=(app, runtime), name="watch", daemon=True).start()


def _watch(app: Flask, runtime: Runtime) -> Never:
    while True:
        time.sleep(LOOK_SECONDS)
        _look(app, runtime)


def _look(app: Flask, runtime: Runtime) -> None:
    condition: Condition = app.extensions[CONDITION]
    runtime.gate.warm()
    condition.look()
    look(app, runtime)
