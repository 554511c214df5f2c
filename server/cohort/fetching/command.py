"""`myositis-cds cohort fetch`: an EHR's Bulk Data export, into a folder that `cohort run` reads (docs/cohort-fetch.md)."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cohort.giving_up import TROUBLE, UNUSABLE, give_up, tell

if TYPE_CHECKING:
    from server.cohort.fetching.fetch import Fetched, Settings

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,60}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_WORD = re.compile(r"[\x21-\x7e]{1,200}")
_SCOPES = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749, 3.3
_Check = Callable[[click.Context, click.Parameter, Any], Any]


def _fits(pattern: re.Pattern[str], what: str) -> _Check:
    """Checks the value of an option, or each of its values."""

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        if not all(pattern.fullmatch(one) for one in values):
            raise click.BadParameter(f"is not {what}")
        return value

    return check


@click.command()
@click.argument("fhir_base", metavar="FHIR_BASE")
@click.option(
    "--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder for the export; made if need be."
)
@click.option(
    "--client-id", metavar="ID", required=True, callback=_fits(_WORD, "a client id"), help="That the EHR gave this client."
)
@click.option(
    "--key",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Private key whose public half is registered at the EHR: JWK, JWK Set or PEM; readable by its owner only.",
)
@click.option(
    "--kid", metavar="ID", callback=_fits(_WORD, "a key id"), help="Id under which the key is registered.  [default: as in FILE]"
)
@click.option(
    "--group", metavar="ID", callback=_fits(_ID, "a FHIR id"), help="Export the patients of this Group.  [default: all patients]"
)
@click.option(
    "--type",
    "types",
    metavar="TYPE",
    multiple=True,
    callback=_fits(_TYPE, "a FHIR resource type"),
    help="Resource type; may be given several times.  [default: all that a cohort run reads]",
)
@click.option(
    "--since",
    metavar="INSTANT",
    callback=_fits(_INSTANT, "an instant such as 2026-11-22T08:00:00Z"),
    help="Only what was changed later. That is no whole cohort.",
)
@click.option("--token-url", metavar="URL", help="Token endpoint.  [default: as the EHR publishes it]")
@click.option(
    "--scope",
    metavar="SCOPES",
    callback=_fits(_SCOPES, "a list of scopes"),
    help="Scopes to ask for.  [default: system/TYPE.rs of each type]",
)
@click.option(
    "--file-origin", "file_origins", metavar="URL", multiple=True, help="Origin besides the FHIR server's where its files may be."
)
@click.option(
    "--ca-file", metavar="FILE", type=click.Path(path_type=Path), help="Certificates to trust besides the system's (PEM)."
)
@click.option(
    "--wait",
    metavar="MINUTES",
    type=click.FloatRange(0, 10_080),
    default=360,
    show_default=True,
    help="Wait so long for the EHR.",
)
def fetch(**options: Any) -> None:
    """Fetch a Bulk Data export of the EHR at FHIR_BASE, for `cohort run DIR`.

    The same command goes on where it was killed or broke off. Exit code 0: all is there; 1: it is not, or the EHR reports that
    something could not be exported; 2: settings that cannot be used.
    """
    from server.cohort.fetching.errors import FetchError
    from server.cohort.fetching.fetch import fetch_export
    from server.config import ConfigurationError

    try:
        settings = _settings(**options)
        fetched = fetch_export(settings, tell)
    except ConfigurationError as error:
        give_up(str(error), UNUSABLE)
    except FetchError as error:
        give_up(str(error), TROUBLE)
    _report(settings, fetched)
    if not fetched.is_whole:
        sys.exit(TROUBLE)


def _settings(
    *,
    fhir_base: str,
    out: Path,
    client_id: str,
    key: Path,
    kid: str | None,
    group: str | None,
    types: tuple[str, ...],
    since: str | None,
    token_url: str | None,
    scope: str | None,
    file_origins: tuple[str, ...],
    ca_file: Path | None,
    wait: float,
) -> "Settings":
    """The options, checked.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    from server.cohort.fetching.addresses import declared_origin, server_base
    from server.cohort.fetching.export_job import Waiting
    from server.cohort.fetching.fetch import Settings
    from server.cohort.fetching.resume import Wish
    from server.cohort.fetching.signing_key import load_client_keys
    from server.cohort.fetching.wire import Wire
    from server.config import ConfigurationError
    from server.urls import is_secure_url

    if token_url is not None and not is_secure_url(token_url.partition("?")[0]):
        raise ConfigurationError("--token-url: must be an https URL (http on this machine only)")
    return Settings(
        Wish(server_base(fhir_base), client_id, group, since, tuple(sorted(set(types)))),
        out,
        load_client_keys(key, kid),
        token_url,
        scope or "",
        tuple(map(declared_origin, file_origins)),
        Wire(ca_file),
        Waiting(wait * 60),
    )


def _report(settings: "Settings", fetched: "Fetched") -> None:
    numbers = ", ".join(f"{kind} {number}" for kind, number in sorted(fetched.resources.items())) or "nothing"
    as_of = f", as of {fetched.instant}" if fetched.instant else ""
    click.echo(f"{settings.out}: {numbers}; files: {fetched.files}{as_of}")
    if settings.wish.since:
        tell("only what was changed since then: a cohort run on this folder alone would take what is missing for not done")
    if fetched.deleted:
        tell(f"deletions: {fetched.deleted}, listed in {settings.out / '_deleted'}, which a cohort run does not read")
    if fetched.messages:
        said = ", ".join(f"{severity} {number}" for severity, number in sorted(fetched.messages.items()))
        tell(f"the EHR reports with the export: {said}. Read {settings.out / '_errors'}")
    if not fetched.is_whole:
        tell("so the export may not hold everything: name the types that lack something with `cohort run --incomplete TYPE`")
