"""The doctor: what would fail, which requirement that is about, and what to do."""

from collections.abc import Iterator, Sequence

from server.basis import load_basis
from server.config import Config, ConfigurationError
from server.connecting.findings import Finding, failed, ok, warning
from server.connecting.reach_checks import check_client
from server.connecting.request_walk import walk
from server.connecting.settings_checks import check_settings
from server.trust.clients import OPEN_CLIENT, Client
from server.trust.clients_file import load_clients


def examine(config: Config, name: str | None = None, request: bytes | None = None) -> Iterator[Finding]:
    """Look at the service, at one client or all, and at a call.

    Args:
        config: the settings.
        name: which client; None for all of them.
        request: the body of a hook call; None for none.
    """
    yield from check_settings(config)
    try:
        registered = load_clients(config.clients, config.site) if config.clients else ()
    except ConfigurationError as error:
        yield failed(f"clients: {error}", "see `myositis-cds clients check`", "J-4")
        return
    if registered:
        yield ok(f"clients: {len(registered)} registered", "J-4")
    chosen = [client for client in registered if name in (None, client.name)]
    if name and not chosen:
        yield failed("clients: there is none of that name", f"registered are {_names(registered)}", "J-4")
        return
    for client in chosen:
        yield from check_client(client)
        if client.is_in_shadow:
            yield warning(
                f"{client.name}: in shadow mode, so that no card is shown to anybody",
                'read `myositis-cds report shadow`; to go live, set mode = "advise" and start the service again',
                "SAF-21",
            )
    if request is not None:
        yield from walk(request, _sender(chosen), config, load_basis(config.site, config.terminology))


def _sender(chosen: Sequence[Client]) -> Client:
    """Who is taken to have sent the call: the one client there is, else nobody in particular."""
    return chosen[0] if len(chosen) == 1 else OPEN_CLIENT


def _names(clients: Sequence[Client]) -> str:
    return ", ".join(sorted(client.name for client in clients)) or "none"
