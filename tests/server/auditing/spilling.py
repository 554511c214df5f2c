"""A program: adds records to a journal, says which ones it may say are kept, and brings them home every now and then.

`python -m tests.server.auditing.spilling DATABASE JOURNAL SAID` goes on until it is killed.
"""

import os
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Thread

import orjson

from server.auditing.bringing_home import bring_home
from server.auditing.journal import Journal
from server.store.database import connect
from server.store.errors import StoreError
from tests.server.auditing.rows import KEY, line


def main(url: str, path: str, said: str) -> None:
    """Add and bring home."""
    journal, database = Journal(Path(path)), connect(url)
    out = os.open(said, os.O_WRONLY | os.O_APPEND)

    def carry() -> None:
        while True:
            if journal.is_waiting():
                with suppress(StoreError):  # the other process has the database
                    bring_home(journal, database, KEY)

    Thread(target=carry, daemon=True).start()
    for number in count():
        one = line(at=number)
        journal.append(one.text)
        os.write(out, f"{orjson.loads(one.text)['id']}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
