"""Figures as Prometheus would read them."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, frozenset[tuple[str, str]]]


class Scraped:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples: dict[Series, float] = {
            (one.name.removeprefix("myositis_cds_"), frozenset(one.labels.items())): one.value
            for family in self.families
            for one in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of all series of this name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (one, its), value in self.samples.items() if one == name and wanted <= its)

    def values(self, name: str, label: str) -> set[str]:
        """Every value of a label."""
        return {dict(labels).get(label, "") for one, labels in self.samples if one == name}

    @property
    def names(self) -> Iterable[str]:
        """Of every series."""
        return {f"myositis_cds_{name}" for name, _ in self.samples}


def since(before: Scraped, after: Scraped, name: str, **labels: str) -> float:
    """By how much a figure has grown."""
    return after(name, **labels) - before(name, **labels)
