"""The table `[client.smart]` of `clients.toml`: how our app is registered with an EHR."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from server.ehr.address import normal_base
from server.trust.clients import SmartRegistration
from server.urls import is_origin

_BASIC = "client_secret_basic"


def read_registration(entry: Mapping[str, Any], folder: Path) -> SmartRegistration:
    """The registration of an entry without a fault.

    Args:
        entry: the table.
        folder: file names are seen from there.
    """
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items() if key != "secret_file"
    }
    secret = (folder / entry["secret_file"]).read_text("utf-8").strip() if "secret_file" in entry else ""
    return SmartRegistration(**values, secret=secret)


def check_smart(entry: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """What a JSON Schema cannot say about the table.

    Args:
        entry: of the client, what the schema accepted of it.
        folder: of the file.
    """
    smart = entry.get("smart")
    if smart is None:
        return
    if not entry.get("fhir_servers"):
        yield "smart: needs fhir_servers, since the app is launched from one of them; add its base URL"
    if (smart.get("authentication") == _BASIC) != ("secret_file" in smart):
        yield f"smart: secret_file goes with authentication = {_BASIC}, and with nothing else; write both or neither"
    if "secret_file" in smart:
        yield from _check_secret(folder / smart["secret_file"], folder)
    for position, origin in enumerate(smart.get("frame_ancestors", ()), 1):
        if not is_origin(origin):
            yield f"smart: frame_ancestors: number {position} must be https, host and perhaps a port, in lower case"


def share_a_server(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a launch from one FHIR server could be of two clients (threat SM-04).

    Args:
        one, other: entries of the file, not yet checked.
    """
    return "smart" in one and "smart" in other and bool(_servers(one) & _servers(other))


def _servers(entry: Mapping[str, Any]) -> set[str]:
    servers = entry.get("fhir_servers")
    texts = [url for url in servers if isinstance(url, str)] if isinstance(servers, list) else []
    return {base for url in texts if (base := normal_base(url))}


def _check_secret(file: Path, folder: Path) -> Iterator[str]:
    try:
        mode, text = file.stat().st_mode, file.read_text("utf-8")
    except OSError as error:
        yield f"smart: secret_file cannot be read ({error.strerror}); write its name as seen from {folder}"
    except UnicodeDecodeError:
        yield "smart: secret_file is not UTF-8; write the secret and nothing else"
    else:
        if stat.S_IMODE(mode) & 0o077:
            yield "smart: secret_file can be read by others; run: chmod 600 on it"
        if not text.strip():
            yield "smart: secret_file is empty; write the secret into it"
