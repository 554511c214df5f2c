"""Keys whose private half everybody can read (conformance X-4; threat JWT-19).

The CDS Hooks sandbox signs in the browser, so its private key is in its public repository. It is welcome for trying things out on
one machine, and never beyond.
"""

from urllib.parse import urlsplit

from server.config import Config, ConfigurationError
from server.trust.clients import Client
from server.trust.jwk_set import read_jwk_set
from server.urls import is_loopback

_HOST = "sandbox.cds-hooks.org"

THUMBPRINTS = frozenset(
    (
        "s9fOe-KDYD1myZ8YCzleUqJQgrYZL49kVijBxhnZvZc",  # ES384, since 2019
        "WUEVFfenRfMtdDhwPUzCCfmqEN45h61hdHclwVoqfes",  # ES256, before
    )
)
"""RFC 7638 thumbprints of the sandbox's keys (cds-hooks/sandbox, `build/.well-known/jwks.json`)."""


def serves_this_machine_only(config: Config) -> bool:
    """Whether nobody else can reach the service: neither directly nor, as its public URL would tell, through a proxy."""
    return is_loopback(config.host) and is_loopback(urlsplit(config.public_url).hostname or "")


def check_published_keys(config: Config, clients: tuple[Client, ...]) -> None:
    """Refuse to start where anybody could sign for a client.

    Raises:
        ConfigurationError: a client is the CDS Hooks sandbox, and other machines can reach the service.
    """
    if serves_this_machine_only(config):
        return
    for client in clients:
        if any(urlsplit(url or "").hostname == _HOST for url in (client.issuer, client.jwks_url)) or _holds_published(client):
            raise ConfigurationError(
                f"client {client.name}: the private key of {_HOST} is public, so anybody could call as this client; take the "
                "client out of its file, or serve this machine only (host 127.0.0.1 and no public URL)"
            )


def _holds_published(client: Client) -> bool:
    return client.jwks is not None and any(key.thumbprint in THUMBPRINTS for key in read_jwk_set(client.jwks).keys)
