"""The connection sheet as plain text, for a terminal or a ticket."""

from collections.abc import Iterable, Sequence
from textwrap import fill

from server.connecting.sheet import Sheet
from server.connecting.testing_steps import steps

_WIDTH = 120
IN_SHADOW = (
    "Shadow mode: every call of this client is evaluated and recorded, and every answer has no card. Nobody is advised until the "
    "operator of the service ends it."
)


def as_text(sheet: Sheet) -> str:
    """The sheet without the examples, which `connect --example` prints.

    Args:
        sheet: for whom.
    """
    blocks = [
        f"Connection sheet{f' for {sheet.client}' if sheet.client else ''}: myositis-cds at {sheet.public_url}",
        f"CDS Hooks {sheet.cds_hooks_version}, FHIR R4, read only. Answers in dialect {sheet.dialect} ({sheet.dialect_name}).",
        *([IN_SHADOW] if sheet.is_in_shadow else []),
        _section(
            "Services", *(_table((s.hook, s.url), (f"  {s.title}", f"  feedback: {s.feedback_url}")) for s in sheet.services)
        ),
        _section("Prefetch", *(_table((one.key, one.query), (f"  {one.need}",)) for one in sheet.prefetch)),
        _section("Scopes (SMART 1, SMART 2)", *(f"{scope.v1}  {scope.v2}" for scope in sheet.scopes)),
        _section("FHIR servers that are called back", *(sheet.fhir_servers or ("none",))),
        _section("SMART app", *_app(sheet)),
        _section("Signed calls", *_tokens(sheet)),
        _section("Override reasons", *([f"{r.code}: {r.display}" for r in sheet.override_reasons] or ["none are sent"])),
        _section("Card topics", *(f"{t.code}: {t.display}{'' if t.is_on else ' (switched off)'}" for t in sheet.topics)),
        _section("Links", *(f"{link.beginning}{'' if link.is_sent else ' (not sent: not registered)'}" for link in sheet.links)),
        _section("Orders to map", *_orders(sheet)),
        _section("Dialect", *([f"{s.name} = {s.value}\n{_indented(s.does)}" for s in sheet.switches] or ["as the standard"])),
        _section("Testing the connection", *(f"{what}\n  {line}" for what, line in steps(sheet))),
    ]
    return "\n\n".join(blocks)


def _section(title: str, *lines: str) -> str:
    return "\n".join((title, "-" * len(title), *lines))


def _table(row: Sequence[str], below: Iterable[str]) -> str:
    return "\n".join(("  ".join(row), *below))


def _indented(text: str) -> str:
    return fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _app(sheet: Sheet) -> list[str]:
    app = sheet.app
    return [
        f"client id: {app.client_id or 'to be registered'}",
        f"launch URL: {app.launch_url}",
        f"redirect URI: {app.redirect_uri}",
        f"authentication: {app.authentication}",
        f"JWK Set: {app.jwks_url}",
        f"links on cards: {'yes' if app.is_linked else 'no'}",
        f"scopes (SMART 2): {' '.join(app.scopes_v2)}",
        f"scopes (SMART 1): {' '.join(app.scopes_v1)}",
    ]


def _tokens(sheet: Sheet) -> list[str]:
    tokens = sheet.tokens
    return [
        *([] if tokens.needed else ["The service is open: it serves its own machine only and asks for no token."]),
        f"iss: {tokens.issuer or 'to be registered'}",
        f"keys: {tokens.keys or 'to be registered'}",
        f"alg: {', '.join(tokens.algorithms)}",
        f"life: at most {tokens.longest_life} seconds",
        f"jti: {'new for every call' if tokens.replay_check else 'may be used again'}",
        f"tenant: {', '.join(tokens.tenants) or 'any, or none'}",
        *(f"aud of {one.what}: {' or '.join(one.audiences)}" for one in tokens.endpoints),
    ]


def _orders(sheet: Sheet) -> list[str]:
    lines = []
    for order in sheet.orders:
        lines.append(f"{order.resource_type}: {order.title}{'' if order.is_offered else ' (said in words, until mapped)'}")
        lines += [f"  {c.code}  {c.display}  [{c.system}]" for c in order.codings] or ["  in words only"]
    return lines
