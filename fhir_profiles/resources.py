"""Collecting resources: whatever was sent, in whatever wrapping, becomes one flat collection.

Bundles of any type, with or without `type` and `fullUrl`, Bundles inside Bundles, lists and single resources are unwrapped
without recursion, so depth costs nothing. Of several versions of one resource the newest stays, wherever it stood.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from fhir_profiles.elements import Element, Json, objects
from fhir_profiles.record import Issue
from fhir_profiles.sentences import AsWritten, say

LONGEST_REFERENCE = 1024
"""A longer text is no reference."""
_LONGEST_VERSION = 18
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Collection:
    """Everything that was sent; iterating gives each resource to read, once.

    Args:
        named: the resources to read, by reference (`Type/id`, or `fullUrl` where there is no id).
        nameless: those with neither id nor `fullUrl`.
        superseded: older versions, and what the same input deletes; not read, but still somebody's.
        links: reference by `fullUrl`; empty where one `fullUrl` stands for several resources.
        cut: resource types of Bundles that were cut (`next` link) or carry an error.
        contradicting: resource types of which one was sent in versions that differ, none of them known to be the newest.
        issues: what was no FHIR.
    """

    named: dict[str, Element] = field(default_factory=dict)
    nameless: list[Element] = field(default_factory=list)
    superseded: list[Element] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    contradicting: set[str] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        return chain(self.named.values(), self.nameless)

    def find(self, reference: str, container: Element | None = None) -> Element | None:
        """The resource that a reference means, or None.

        Args:
            reference: relative, absolute, versioned, `urn:` by `fullUrl`, or `#id` of a resource contained in `container`.
            container: the resource that holds the reference.
        """
        if reference.startswith("#"):
            return _contained(reference[1:], container) if container else None
        found = self.named.get(reference) or self.named.get(self.links.get(reference, ""))
        if found is None and (target := type_and_id(reference)):
            found = self.named.get("/".join(target))
        return found


def collect(parts: Iterable[object]) -> Collection:
    """Unwrap parsed JSON values.

    Args:
        parts: Bundles, resources, lists of them, None; anything else becomes an issue.

    Raises:
        TypeError: `parts` is itself a JSON object or a string; the caller forgot the list around it.
    """
    if isinstance(parts, (dict, str, bytes)):
        raise TypeError("parts must be several JSON values, not one; put it into a list")
    collection = Collection()
    deleted: set[str] = set()
    repeated: dict[str, list[Element]] = {}
    waiting: list[object] = list(parts)
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, dict):
            if value.get("resourceType") == "Bundle":
                waiting.extend(_unwrap(value, collection, deleted, repeated))
            else:
                _add(value, None, collection, repeated)
        elif value is not None:
            collection.issues.append(Issue("input", say("a value that is not a FHIR resource was passed over")))
    for versions in repeated.values():
        _keep_newest(versions, collection)
    for reference in deleted & collection.named.keys():
        element = collection.named.pop(reference)
        element.report("", say("is deleted by the same Bundle; not used"))
        collection.superseded.append(element)
    return collection


def type_and_id(reference: str) -> tuple[str, str] | None:
    """Type and id that a relative, absolute or versioned literal reference names; None for any other reference."""
    segments = segments_of(reference)
    return (segments[-2], segments[-1]) if segments else None


def segments_of(reference: str) -> list[str]:
    """The parts of a literal reference, type and id last; empty for any other reference.

    What a sender may have hung on or doubled is passed over, since the resource that is named stays the same: a query, a
    fragment, a version, slashes.
    """
    if len(reference) > LONGEST_REFERENCE:
        return []
    path = reference.partition("#")[0].partition("?")[0]
    segments = [segment for segment in path.strip().split("/") if segment]
    if len(segments) > 3 and segments[-2] == "_history":
        del segments[-2:]
    return segments if len(segments) > 1 and segments[-2].isalpha() else []


def _unwrap(bundle: Json, collection: Collection, deleted: set[str], repeated: dict[str, list[Element]]) -> list[object]:
    """Add the resources of a Bundle; return what is wrapped once more."""
    wrapped: list[object] = []
    is_cut = any(link.get("relation") == "next" for link in objects(bundle.get("link")))
    entries = bundle.get("entry")
    entries = entries if isinstance(entries, list) else [entries]
    for entry in entries:
        if entry is None:
            continue
        if not isinstance(entry, dict):
            collection.issues.append(Issue("Bundle.entry", say("an entry that is not an object was passed over")))
            continue
        resource = entry.get("resource")
        if isinstance(resource, dict):
            kind = resource.get("resourceType")
            if kind == "Bundle":
                wrapped.append(resource)
            elif kind == "OperationOutcome":
                is_cut = _reports_error(resource, collection) or is_cut
            else:
                _add(resource, entry.get("fullUrl"), collection, repeated)
        elif resource is not None:
            collection.issues.append(Issue("Bundle.entry.resource", say("a value that is not a FHIR resource was passed over")))
        else:
            deleted.update(_deletion(entry))
    if is_cut:
        collection.cut.update(_types(entries))
    return wrapped


def _add(resource: Json, url: object, collection: Collection, repeated: dict[str, list[Element]]) -> None:
    kind, identity = resource.get("resourceType"), resource.get("id")
    if type(kind) is not str or not kind:
        collection.issues.append(Issue("input", say("an object without resourceType is not a FHIR resource; passed over")))
        return
    if kind == "OperationOutcome":
        _reports_error(resource, collection)
        return
    if type(url) is not str or not url or len(url) > LONGEST_REFERENCE:
        url = ""
    reference = f"{kind}/{identity}" if type(identity) is str and identity else url
    element = Element(resource, kind, AsWritten(reference or f"{kind} without id"), collection.issues)
    if not reference:
        collection.nameless.append(element)
        return
    present = collection.named.setdefault(reference, element)
    if present is not element:
        repeated.setdefault(reference, [present]).append(element)
    if url and collection.links.setdefault(url, reference) != reference:
        collection.links[url] = ""


def _reports_error(outcome: Json, collection: Collection) -> bool:
    """Whether an OperationOutcome says that something failed; a warning such as "no results" does not."""
    failed = any(issue.get("severity") in ("error", "fatal") for issue in objects(outcome.get("issue")))
    if failed:
        collection.issues.append(Issue("OperationOutcome", say("the sender reports an error; part of the data may be missing")))
    return failed


def _types(entries: list[object]) -> set[str]:
    """Resource types among the entries of a Bundle, of which there may be more. There is only one Patient to be had."""
    resources = (resource for entry in objects(entries) for resource in objects(entry.get("resource")))
    kinds = {kind for resource in resources if isinstance(kind := resource.get("resourceType"), str)}
    return kinds - {"OperationOutcome", "Bundle", "Patient"}


def _deletion(entry: Json) -> list[str]:
    """The reference that a history or transaction entry deletes, if it does."""
    for request in objects(entry.get("request")):
        url = request.get("url")
        if request.get("method") == "DELETE" and isinstance(url, str) and (target := type_and_id(url)):
            return ["/".join(target)]
    return []


def _keep_newest(versions: list[Element], collection: Collection) -> None:
    """Of several versions of one resource keep the newest; if none is the newest and they differ, keep none."""
    newest = max(version_of(element.content) for element in versions)
    kept, *others = (element for element in versions if version_of(element.content) == newest)
    collection.superseded.extend(element for element in versions if element is not kept)
    collection.named[kept.reference] = kept
    if not all(same(kept.content, other.content) for other in others):
        kept.report("", say("was sent in versions that differ, and nothing says which is the newest; not used"))
        collection.contradicting.add(kept.type)
        collection.superseded.append(collection.named.pop(kept.reference))


def version_of(resource: Json) -> tuple[datetime, int]:
    """What tells a newer version of a resource from an older one: the moment of its last update, then its version number.

    Args:
        resource: parsed JSON.

    Returns:
        The moment, in UTC, and the number; the earliest there is, and -1, where the resource does not say.
    """
    for meta in objects(resource.get("meta")):
        number = meta.get("versionId")
        is_number = isinstance(number, str) and number.isdecimal() and len(number) <= _LONGEST_VERSION
        return _moment(meta.get("lastUpdated")), int(number) if is_number and isinstance(number, str) else -1
    return _EVER, -1


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else _EVER
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return _EVER


def same(one: object, other: object) -> bool:
    """Equality of two JSON values without recursion, since their depth is the sender's choice.

    Args:
        one, other: as they were parsed.
    """
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if left is right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs.extend((left[key], right[key]) for key in left)
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif isinstance(left, (dict, list)) or isinstance(right, (dict, list)) or left != right:
            return False
    return True


def _contained(name: str, container: Element) -> Element | None:
    for index, content in enumerate(objects(container.content.get("contained"))):
        kind = content.get("resourceType")
        if content.get("id") in (name, f"#{name}") and isinstance(kind, str):
            return Element(content, kind, container.reference, container.issues, f".contained[{index}]")
    return None
