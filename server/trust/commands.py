"""`myositis-cds clients …`: for those who register EHRs."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from server.config import PREFIX, ConfigurationError
from server.outbound.http import OutboundError
from server.trust.clients import Client
from server.trust.clients_file import read_clients
from server.trust.jwk_set import JwkSet, JwkSetError, read_jwk_set
from server.trust.keys import fetch_jwk_set

NO_ANSWER = 1
UNUSABLE = 2

_File = click.Path(path_type=Path)


@click.group()
def clients() -> None:
    """Check the file of registered EHRs (docs/clients.md)."""


@clients.command()
@click.argument("file", metavar="[FILE]", required=False, type=_File)
@click.option("--fetch", is_flag=True, help="Also fetch each JWK Set, and say which of its keys can be used.")
@click.option("--site", metavar="DIR", type=_File, help=f"The site folder, for its topics.  [default: ${PREFIX}SITE]")
def check(file: Path | None, fetch: bool, site: Path | None) -> None:
    """Print each client in FILE, what it may do, and every fault.  [default: $MYOSITIS_CDS_CLIENTS]

    Exit code 0 if all is in order, 2 for a fault in the file, 1 if a JWK Set cannot be fetched or has no key for its client.
    """
    path, folder = file or _from_environment("CLIENTS"), site or _from_environment("SITE")
    if path is None:
        raise ConfigurationError(f"clients check: name a file, or set {PREFIX}CLIENTS")
    registered, faults = read_clients(path, folder)
    without_keys = 0
    for client in registered:
        click.echo("\n".join(_described(client)))
        if fetch or client.jwks is not None:
            lines, is_usable = _keys(client)
            click.echo("\n".join(lines))
            without_keys += not is_usable
    for fault in faults:
        click.echo(f"{path}: {fault}", err=True)
    if faults:
        sys.exit(UNUSABLE)
    if without_keys:
        click.echo(f"{path}: in order, but {without_keys} of {len(registered)} clients without a key that can be used", err=True)
        sys.exit(NO_ANSWER)
    click.echo(f"{path}: in order ({len(registered)} clients)")


def _from_environment(name: str) -> Path | None:
    text = os.environ.get(f"{PREFIX}{name}")
    return Path(text) if text else None


def _described(client: Client) -> Iterator[str]:
    """What a client may do, a line to each matter."""
    yield client.name
    yield f"  tokens: issuer {client.issuer}; {', '.join(client.algorithms)}; life at most {client.longest_life} s; " + (
        "each once only" if client.replay_check else "may be used again, since replay_check is off"
    )
    yield f"  tenants: {', '.join(client.tenants) or 'any'}"
    yield f"  audiences besides the URL that is called: {', '.join(client.audiences) or 'none'}"
    yield f"  keys: {client.jwks_url or 'in the file'}"
    yield f"  FHIR servers that may be called: {', '.join(client.fhir_servers) or 'none'}" + (
        "; also without an access token" if client.fhir_without_token else ""
    )
    yield f"  answers: dialect {client.dialect}; cards at most {client.card_cap or 'as the service says'}; topics off: " + (
        ", ".join(sorted(client.topics_off)) or "none"
    )
    yield (
        f"  cards below {client.least_indicator}: not shown" if client.least_indicator != "info" else "  cards of every indicator"
    )
    yield "  mode: " + ("shadow: calls are evaluated and recorded, and no card is shown" if client.is_in_shadow else client.mode)
    yield f"  requests per second: {client.requests_per_second or 'as the service says'}"
    yield f"  links: {'any' if client.links is None else ', '.join(client.links) or 'none'}"
    yield f"  web origins: {', '.join(client.origins) or 'none'}"
    yield (
        f"  an override silences the same advice for {client.snooze_days} days"
        if client.snooze_days
        else "  no override silences"
    )


def _keys(client: Client) -> tuple[list[str], bool]:
    """What there is to say about the keys, and whether one of them can be used."""
    try:
        found = read_jwk_set(client.jwks) if client.jwks is not None else fetch_jwk_set(client)[0]
    except (OutboundError, JwkSetError) as error:
        return [f"  JWK Set: none ({error.reason}); is the URL right, and does the server answer this machine?"], False
    usable = [key for key in found.keys if key.algorithms & set(client.algorithms)]
    lines = [f"  JWK Set: {len(usable)} keys that can be used, {len(found.keys) - len(usable) + len(found.unusable)} that cannot"]
    for key in found.keys:
        algorithms = sorted(key.algorithms & set(client.algorithms))
        what = (
            f"verifies {', '.join(algorithms)}" if algorithms else f"not used: {', '.join(sorted(key.algorithms))} not registered"
        )
        lines.append(f"    {key.kty} key, kid {key.kid!r}: {what}")
    lines += [f"    entry {position}: cannot be used ({reason})" for position, reason in found.unusable]
    lines += _warnings(found)
    return lines, bool(usable)


def _warnings(found: JwkSet) -> Iterator[str]:
    for position in found.reveals_private:
        yield f"    entry {position}: shows a private key; whoever can read this set can call as this client"
    kids = [(key.kid, key.kty) for key in {(key.kid, key.thumbprint): key for key in found.keys}.values()]
    for kid, kty in sorted({pair for pair in kids if kids.count(pair) > 1}):
        yield f"    kid {kid!r} names several {kty} keys, so none of them is used"
