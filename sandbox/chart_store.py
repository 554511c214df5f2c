"""The charts as they are now: the stories moved to today, with what was ordered and changed since the sandbox was started.

In memory, for one process; threads may read and write at the same time. A chart is one story, so that what was changed on one day
moves with the rest of it to the next: an order stays as old, beside the results, as it was when it was made. Versions and ids do
not change with the day.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from threading import RLock
from uuid import uuid4

from sandbox.bundles import Json
from sandbox.charts import Chart, load_charts
from sandbox.dates import move_dates
from sandbox.resource_types import PATIENT_OF, patient_of

_CENTURY = 36525
"""Days."""

Key = tuple[str, str]
"""Type and id of a resource."""


class VersionConflictError(ValueError):
    """The resource has another version than the one that the change was made from."""


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a resource.

    Args:
        resource: as it was written; None once it was taken away.
        day: when, for moving its dates.
        number: `meta.versionId`.
        updated: `meta.lastUpdated`.
        write: number of the version that was written with this content; another one where it was taken up again.
        before: the version that it took the place of; None where there was none.
    """

    resource: Json | None
    day: date
    number: int
    updated: str
    write: int
    before: "_Version | None" = None


def _now() -> datetime:
    return datetime.now(UTC)


class ChartStore:
    """See the module. Every resource that comes out is a copy: changing it changes no chart.

    Args:
        today: the day that the stories are moved to.
        now: the clock, for `meta.lastUpdated`.
    """

    def __init__(self, today: Callable[[], date], *, now: Callable[[], datetime] = _now) -> None:
        """Start from the stories as they are told."""
        self.today, self._now = today, now
        self._lock = RLock()
        self._numbers = count(1)
        self._stories = load_charts()
        self._told = {slug: _versions_of(chart, next(self._numbers), self.instant()) for slug, chart in self._stories.items()}
        self._changed: dict[str, dict[Key, _Version]] = {slug: {} for slug in self._stories}
        self._owners = {key: slug for slug, versions in self._told.items() for key in versions}

    def charts(self) -> Sequence[Chart]:
        """All charts, as of today, in the order of their slugs."""
        with self._lock:
            return tuple(self._as_of_today(slug) for slug in sorted(self._stories))

    def chart(self, patient_id: str) -> Chart | None:
        """One chart, as of today."""
        with self._lock:
            return self._as_of_today(patient_id) if patient_id in self._stories else None

    def find(self, resource_type: str, resource_id: str) -> Json | None:
        """One resource of any chart, as of today."""
        with self._lock:
            found = self._version((resource_type, resource_id))
            return self._moved(found, self.today()) if found else None

    def deletions(self) -> Sequence[tuple[str, Key, str]]:
        """What was taken away and is not back: whose it was, type and id, and when, as an instant."""
        with self._lock:
            return tuple(
                (slug, key, version.updated)
                for slug, versions in self._changed.items()
                for key, version in versions.items()
                if version.resource is None
            )

    def instant(self) -> str:
        """Now, as a FHIR instant."""
        return self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def create(self, resource: Json) -> Json:
        """Put a resource on the chart of its subject; it gets an id, `meta.versionId` and `meta.lastUpdated`.

        Raises:
            ValueError: the type is not one of ours, it is about nobody here, or one of its dates is none.
        """
        if resource.get("resourceType") == "Patient":
            raise ValueError("patients come from the stories, none can be added")
        return self.update(resource | {"id": str(uuid4())})

    def update(self, resource: Json, *, if_version: str | None = None) -> Json:
        """Put a new version of a resource in place of the one with its type and id, or create it with that id.

        Args:
            resource: the whole resource.
            if_version: the `meta.versionId` that it has to have until now; None for any, or none.

        Raises:
            VersionConflictError: it has another version.
            ValueError: as for `create`; or it is another patient's.
        """
        slug = self._slug_of(resource)
        key = (resource["resourceType"], resource["id"])
        written = _written(resource)
        with self._lock:
            if self._owners.get(key, slug) != slug:
                raise ValueError(f"{key[0]}: that id belongs to another patient's chart")
            self._hold_against(key, if_version)
            self._owners[key] = slug
            version = self._put(key, written)
            return self._moved(version, version.day)

    def delete(self, resource_type: str, resource_id: str, *, if_version: str | None = None) -> bool:
        """Take a resource away; whether it was there.

        Raises:
            VersionConflictError: as for `update`.
            ValueError: it is a patient.
        """
        if resource_type == "Patient":
            raise ValueError("patients come from the stories, none can be taken away")
        key = (resource_type, resource_id)
        with self._lock:
            if self._version(key) is None:
                return False
            self._hold_against(key, if_version)
            self._put(key, None)
            return True

    def take_back(self, writes: Sequence[tuple[Key, str]]) -> None:
        """Put back what was there before some writes, with the dates that it had: for all of them, or for none.

        Args:
            writes: type and id, and the `meta.versionId` that the write gave.

        Raises:
            VersionConflictError: one of the resources was written again since, or the chart was reset.
        """
        with self._lock:
            found = [(key, self._last(key)) for key, _ in writes]
            if any(last is None or str(last.write) != wrote for (_, last), (_, wrote) in zip(found, writes, strict=True)):
                raise VersionConflictError("a resource was changed since")
            for key, last in found:
                number = next(self._numbers)
                before = (last and last.before) or _Version(None, self.today(), number, "", number)
                self._changed[self._owners[key]][key] = replace(before, number=number, updated=self.instant())

    def reset(self, patient_id: str) -> None:
        """Forget what was changed on one chart; what comes back is a new version of it."""
        with self._lock:
            if changed := self._changed.get(patient_id):
                told = _versions_of(self._stories[patient_id], next(self._numbers), self.instant())
                self._told[patient_id] |= {key: told[key] for key in changed if key in told}
                self._changed[patient_id] = {}

    def _as_of_today(self, slug: str) -> Chart:
        versions, today = self._told[slug] | self._changed[slug], self.today()
        found = tuple(self._moved(version, today) for version in versions.values() if version.resource is not None)
        return Chart(self._stories[slug].story, found)

    def _version(self, key: Key) -> _Version | None:
        """The version that counts; None for what is not there, or not any more."""
        found = self._last(key)
        return found if found and found.resource is not None else None

    def _last(self, key: Key) -> _Version | None:
        """The last version, of what was taken away too."""
        slug = self._owners.get(key, "")
        return self._changed.get(slug, {}).get(key) or self._told.get(slug, {}).get(key)

    def _put(self, key: Key, resource: Json | None) -> _Version:
        """A new version, in place of the last."""
        number = next(self._numbers)
        version = _Version(resource, self.today(), number, self.instant(), number, self._last(key))
        self._changed[self._owners[key]][key] = version
        return version

    def _hold_against(self, key: Key, if_version: str | None) -> None:
        now = self._version(key)
        if if_version is not None and (now is None or str(now.number) != if_version):
            raise VersionConflictError("the resource has another version by now, or is gone")

    @staticmethod
    def _moved(version: _Version, today: date) -> Json:
        moved: Json = move_dates(version.resource, (today - version.day).days)
        meta = moved.get("meta", {}) | {"versionId": str(version.number), "lastUpdated": version.updated}
        return moved | {"meta": meta}

    def _slug_of(self, resource: Json) -> str:
        resource_type = str(resource.get("resourceType"))
        if resource_type not in PATIENT_OF:
            raise ValueError("the chart has no resources of that type")
        slug = patient_of(resource)
        if slug not in self._stories:
            raise ValueError(f"{resource_type}.{PATIENT_OF[resource_type]}: names no patient of this EHR")
        return slug


def _written(resource: Json) -> Json:
    """A copy, of which is known that its dates can be moved: one date that could not would close the chart for good."""
    try:
        for days in (-_CENTURY, _CENTURY):
            move_dates(resource, days)
        copy: Json = move_dates(resource, 0)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ValueError("one of the dates is no FHIR date, or centuries away") from None
    return copy


def _versions_of(chart: Chart, number: int, updated: str) -> dict[Key, _Version]:
    """What a story tells, as versions, in the order of the chart."""
    return {
        (each["resourceType"], each["id"]): _Version(each, chart.story.as_of, number, updated, number) for each in chart.resources
    }
