"""The doctor, first part: does the service itself have what it needs? Nothing here leaves this machine but for the database."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from cards.orders import prove_templates
from cards.verdicts import RuleError
from fhir_profiles.codes import TerminologyError
from server.basis import load_basis
from server.config import PREFIX, Config, ConfigurationError
from server.connecting.findings import Finding, failed, ok, warning
from server.store.database import connect, refuse_unless_current
from server.store.errors import StoreError
from server.store.sqlite import file_of
from server.urls import is_loopback


def check_settings(config: Config) -> Iterator[Finding]:
    """Check the public URL, the database and the knowledge.

    Args:
        config: the settings.
    """
    yield from _check_public_url(config)
    yield _check_database(config)
    yield from _check_knowledge(config)
    if config.clients is None:
        yield warning(
            "clients: none are registered, so the service is open and serves this machine only",
            f"name a clients.toml in {PREFIX}CLIENTS before an EHR is connected",
            "J-3",
        )


def _check_public_url(config: Config) -> Iterator[Finding]:
    url = urlsplit(config.public_url)
    setting = f"set {PREFIX}PUBLIC_URL to the address at which EHRs reach the service"
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment or url.username:
        yield failed("public URL: is not an address of the form https://host/path", setting, "J-13")
        return
    if url.scheme == "https":
        yield ok("public URL: https", "J-1")
    elif is_loopback(url.hostname or ""):
        yield ok("public URL: http, for this machine only", "J-1")
    else:
        yield failed("public URL: http, though other machines are meant to call", f"{setting}, with https", "J-1")
    if is_loopback(url.hostname or "") and not is_loopback(config.host):
        yield failed("public URL: is of this machine only, though the service listens to others", setting, "J-13")
    if url.path.rstrip("/").endswith("/cds-services"):
        yield failed("public URL: ends with /cds-services, which is added to it", f"{setting}, without /cds-services", "D-1")


def _check_database(config: Config) -> Finding:
    """The database as it is; the doctor neither makes nor changes one."""
    try:
        engine = connect(config.database_url)
        kind = engine.dialect.name
        if kind == "sqlite":
            file = file_of(engine.url)
            if file is None:
                return warning("database: sqlite, in memory", "name a file, or all is forgotten when the service ends", "DB-01")
            if not file.exists():
                return warning("database: sqlite, not there yet", "it is made at the first start of the service", "DB-01")
        try:
            refuse_unless_current(engine)
        finally:
            engine.dispose()
    except (ConfigurationError, StoreError) as error:
        return failed(f"database: {error}", f"see {PREFIX}DATABASE_URL, and `myositis-cds db --help`", "DB-01")
    return ok(f"database: {kind}, reachable and up to date", "DB-01")


def _check_knowledge(config: Config) -> Iterator[Finding]:
    try:
        known = load_basis(config.site, config.terminology).knowledge
        proved = prove_templates(known)
    except (ConfigurationError, RuleError, TerminologyError) as error:
        yield failed(f"knowledge: {error}", "see `myositis-cds knowledge check`", "SAF-22")
        return
    yield ok(f"knowledge: {known.version}, {len(known.rules)} statements, {proved} order templates proved", "SAF-22")
    if known.review.is_overdue(config.today()):
        yield warning(
            f"review: the knowledge was to be held against its sources by {known.review.review_by}",
            "update to a release that was reviewed since, or review it and say so in review.yaml of the site folder",
            "SAF-22",
        )
