"""Environment variables that remember which of them were asked for: whatever nobody asked for is known to be a mistake."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches


class Asked(Mapping[str, str]):
    """An environment.

    Args:
        environment: `os.environ`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing has been asked for yet."""
        self._environment = environment
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        """The value of a variable, which is remembered whether there is one or not."""
        self.names.add(name)
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the variables."""
        return iter(self._environment)

    def __len__(self) -> int:
        """How many variables there are."""
        return len(self._environment)

    def mistaken(self, prefix: str) -> dict[str, str | None]:
        """The variables with a prefix that nobody asked for, and what each is probably meant to be."""
        known = [name.removeprefix(prefix) for name in self.names]
        ours = [name for name in sorted(self._environment) if name.startswith(prefix) and name not in self.names]
        near = {name: get_close_matches(name.removeprefix(prefix), known, 1) for name in ours}
        return {name: prefix + found[0] if found else None for name, found in near.items()}
