"""A program: eight processes want the same session's token renewed at the same moment; each prints the one that it then has.

python -m tests.server.smart.eight_refreshes DATABASE-URL FHIR-BASE LAUNCH
"""

import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier

from server.smart.configuration import SmartConfiguration
from server.smart.keys import SigningKeys
from server.smart.launches import Launches
from server.smart.sealing import Sealer
from server.smart.sessions import Session
from server.smart.token_endpoint import TokenEndpoint
from server.store.database import open_database
from server.trust.clients import Client, SmartRegistration
from tests.server.smart.ehr import CLIENT_ID, SECRET
from tests.server.store.all_at_once import JOBS, main

SEALER = Sealer({"1": b"k" * 32})


def endpoint_of(base: str) -> TokenEndpoint:
    """The token endpoint of the EHR on loopback, which knows us by a secret."""
    root = base.removesuffix("/fhir")
    ours = SmartRegistration(CLIENT_ID, "client_secret_basic", SECRET)
    configuration = SmartConfiguration(base, f"{root}/authorize", f"{root}/token")
    return TokenEndpoint(lambda: configuration, Client("ehr"), ours, SigningKeys(()))


def renew(argument: str, start: Barrier) -> Iterator[str]:
    """The token after the renewal."""
    url, base, launch_id, cookie = argument.split(" ")
    launches = Launches(open_database(url), SEALER)
    launch = launches.find(launch_id, cookie)
    assert launch is not None
    session = Session(launch, launches, endpoint_of(base))
    start.wait()
    yield session.renewed().grant.access_token


if __name__ == "__main__":
    JOBS["renew"] = renew
    sys.exit(main("renew", " ".join(sys.argv[1:])))
