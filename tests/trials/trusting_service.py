"""A real service process that knows one EHR, whose tokens it remembers in a database of one's choice."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.conftest import COMMAND, end, wait_for_line
from tests.server.trust.ehrs import PUBLIC_URL, Ehr
from tests.server.trust.jwks_server import jwks_server


@dataclass(frozen=True)
class TrustingService:
    """A running service.

    Args:
        port: of the service.
        ehr: whose tokens it accepts.
        process: which it is; of several, the one that was started.
        log: what it has written to standard error.
    """

    port: int
    ehr: Ehr
    process: "subprocess.Popen[str]"
    log: Path


@contextmanager
def trusting_service(
    folder: Path,
    database_url: str,
    settings: Mapping[str, str] | None = None,
    *,
    registered: str = "requests_per_second = 1000\n",
) -> Iterator[TrustingService]:
    """Run one.

    Args:
        folder: for its files.
        database_url: its database, with all tables.
        settings: more variables of its environment.
        registered: more lines of the client's registration.
    """
    clients, log = folder / "clients.toml", folder / "service.log"
    with jwks_server() as web:
        ehr = Ehr("hospital", f"{web.url}/hospital.json")
        web.publish("/hospital.json", ehr.jwks())
        clients.write_text(f'[[client]]\nname = "hospital"\nissuer = "{ehr.issuer}"\njwks_url = "{ehr.jwks_url}"\n{registered}')
        environment = {
            "PATH": os.defpath,
            "MYOSITIS_CDS_CLIENTS": str(clients),
            "MYOSITIS_CDS_PUBLIC_URL": PUBLIC_URL,
            "MYOSITIS_CDS_DATABASE_URL": database_url,
            "XDG_STATE_HOME": str(folder),
        } | dict(settings or {})
        command = [COMMAND, "serve", "--port", "0", "--wait-db", "30"]
        with (
            log.open("w") as stderr,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
        ):
            try:
                line = wait_for_line(process, "myositis-cds serves")
                yield TrustingService(int(line.rpartition(":")[2].partition("/")[0]), ehr, process, log)
            finally:
                end(process)
