"""What a running service is made of, put together once at the start."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from server.auditing.trail import Trail, open_trail
from server.basis import Basis, load_basis, refuse_other_knowledge
from server.config import Config
from server.ehr.callback import Callback
from server.store.database import open_database
from server.store.pseudonyms import Pseudonyms, load_pseudonyms
from server.trust.clients import Client
from server.trust.clients_file import load_clients
from server.trust.gate import Gate, open_gate


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """The parts that requests share.

    Args:
        config: the settings.
        clients: registered clients; none for an open service.
        gate: lets callers in.
        callback: fetches from EHRs what they did not send.
        database: feedback, used tokens, snoozes.
        pseudonyms: what patients are called in the database.
        trail: where audit records go.
    """

    config: Config
    clients: tuple[Client, ...]
    gate: Gate
    callback: Callback
    database: Engine
    pseudonyms: Pseudonyms
    trail: Trail

    @property
    def basis(self) -> Basis:
        """Terminology and knowledge."""
        return load_basis(self.config.site, self.config.terminology)

    @property
    def clients_in_shadow(self) -> int:
        """How many clients are shown nothing of what is found out for them."""
        return sum(client.is_in_shadow for client in self.clients)

    def url(self, path: str) -> str:
        """The public URL of a path of ours."""
        return f"{self.config.public_url}{path}"


def open_runtime(config: Config, *, clients: Sequence[Client] | None = None) -> Runtime:
    """Put the parts together.

    Args:
        config: the settings.
        clients: registered clients; by default those of `config.clients`.

    Raises:
        ConfigurationError: a setting, the file of clients, or the database cannot be used.
        StoreError: the database went away, or is locked.
    """
    refuse_other_knowledge(load_basis(config.site, config.terminology).knowledge, config.knowledge_hash)
    if clients is None:
        clients = load_clients(config.clients, config.site) if config.clients else ()
    registered = tuple(clients)
    database = open_database(config.database_url)
    trail = open_trail(config.audit, config.audit_spill_file)
    pseudonyms = load_pseudonyms(database, config.pseudonym_key_file)
    return Runtime(
        config=config,
        clients=registered,
        gate=open_gate(config, registered, database),
        callback=Callback(config),
        database=database,
        pseudonyms=pseudonyms,
        trail=trail,
    )
