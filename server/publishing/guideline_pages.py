"""`/guidelines`: the knowledge for people, statement by statement, as pages that need no script.

Every page is rendered once and kept, and carries a content security policy of its own that allows our one stylesheet.
"""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, render_template

from cards.knowledge import Knowledge
from cards.markdown import capital
from server.basis import load_basis
from server.config import Config
from server.errors import UnknownGuidelineError
from server.publishing import guideline_views as views
from server.publishing.published import Published, publish, published

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def guidelines_blueprint(config: Config) -> Blueprint:
    """The pages for the reviewer, of the knowledge that cards are made from."""
    blueprint = Blueprint(
        "guidelines",
        __name__,
        url_prefix="/guidelines",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    blueprint.add_app_template_filter(capital, "capital")
    blueprint.add_app_template_filter(views.pieces, "pieces")
    kept: dict[str, Published] = {}

    def known() -> Knowledge:
        return load_basis(config.site, config.terminology).knowledge

    @blueprint.get("")
    @blueprint.get("/")
    def index() -> Response:
        return _kept(kept, "", lambda: _index(known()))

    @blueprint.get("/<name>")
    def page(name: str) -> Response:
        if name in _PAGES:
            return _kept(kept, name, lambda: _PAGES[name](known()))
        if any(rule.guideline == name for rule in views.every_rule(known())):
            return _kept(kept, name, lambda: _guideline(name, known()))
        raise UnknownGuidelineError("There is no such page. /guidelines lists those that there are.")

    return blueprint


def _kept(kept: dict[str, Published], name: str, make: Callable[[], str]) -> Response:
    if name not in kept:
        kept[name] = published(make().encode(), "text/html; charset=utf-8")
    response = publish(kept[name])
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _page(template: str, known: Knowledge, **content: object) -> str:
    return render_template(f"guidelines/{template}.html", version=known.version, review=known.review, **content)


def _index(known: Knowledge) -> str:
    return _page("index", known, index=views.index(known))


def _guideline(name: str, known: Knowledge) -> str:
    rules = [rule for rule in views.every_rule(known) if rule.guideline == name]
    return _page(
        "guideline",
        known,
        source=rules[0].sources[0],
        topics=views.statements(name, known),
        groups=views.groups(views.triggers_of(rules), known),
        count=len(rules),
        tally=views.tally(rules, known),
    )


def _contradictions(known: Knowledge) -> str:
    disputes = [
        (dispute.contradiction, views.sides(dispute, known), views.words(dispute.trigger, known), views.taking_part(code, known))
        for code, dispute in sorted(known.disputes.items(), key=lambda item: int(item[0].removeprefix("C")))
    ]
    groups = views.groups((trigger for dispute in known.disputes.values() for trigger in dispute.triggers()), known)
    return _page("contradictions", known, disputes=disputes, groups=groups)


def _drug_safety(known: Knowledge) -> str:
    levels = {
        level: [(rule, views.subjects(rule, known), views.words(rule.trigger, known), is_on) for rule, is_on in rules]
        for level, rules in views.safety_rules(known).items()
    }
    rules = (*known.safety, *known.safety_off)
    groups = views.groups((rule.trigger for rule in rules), known)
    return _page("drug_safety", known, levels=levels, meanings=views.LEVELS, groups=groups, count=len(rules))


def _orders(known: Knowledge) -> str:
    orders = [
        (key, entry, views.counts_as_done(entry, known), views.asked_for_by(key, known)) for key, entry in known.orders.items()
    ]
    kinds = {
        "Tests, imaging and referrals": [row for row in orders if row[1]["resource"] == "ServiceRequest"],
        "Drugs": [row for row in orders if row[1]["resource"] == "MedicationRequest"],
    }
    return _page("orders", known, kinds=kinds)


_PAGES: Mapping[str, Callable[[Knowledge], str]] = {
    "contradictions": _contradictions,
    "drug-safety": _drug_safety,
    "orders": _orders,
}
