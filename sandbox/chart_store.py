"""The charts as they are now: the stories moved to today, with what was ordered and changed since the sandbox was started.

In memory, for one process; threads may read and write at the same time.
"""

from collections.abc import Callable, Sequence
from datetime import date

from sandbox.bundles import Json
from sandbox.charts import Chart


class ChartStore:
    """See the module.

    Args:
        today: the day that the stories are moved to.
    """

    def __init__(self, today: Callable[[], date]) -> None:
        """Start from the stories as they are told."""
        raise NotImplementedError

    def charts(self) -> Sequence[Chart]:
        """All charts, as of today, in the order of their slugs."""
        raise NotImplementedError

    def chart(self, patient_id: str) -> Chart | None:
        """One chart, as of today."""
        raise NotImplementedError

    def create(self, resource: Json) -> Json:
        """Put a resource on the chart of its subject; it gets an id, `meta.versionId` and `meta.lastUpdated`.

        Raises:
            ValueError: the type is not one of ours, or it is about nobody here.
        """
        raise NotImplementedError

    def update(self, resource: Json) -> Json:
        """Put a new version of a resource in place of the one with its type and id, or create it with that id.

        Raises:
            ValueError: as for `create`; or it is another patient's.
        """
        raise NotImplementedError

    def delete(self, resource_type: str, resource_id: str) -> bool:
        """Take a resource away; whether it was there."""
        raise NotImplementedError

    def reset(self, patient_id: str) -> None:
        """Forget what was changed on one chart."""
        raise NotImplementedError
