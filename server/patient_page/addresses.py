"""The addresses of the page: everything stays under the launch that it belongs to, so that two patients never mix (SM-09)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes the links of one page.

    Args:
        launch: names the launch.
        language: chosen in the address; empty where it was not.
        supposed: what is supposed, as it stands in the address.
        part: of the page that is shown, `/summary`, or empty for the page itself.
    """

    launch: str
    language: str = ""
    supposed: str = ""
    part: str = ""

    @property
    def page(self) -> str:
        """The page itself, without a query; where its forms go."""
        return f"/smart/patient/{quote(self.launch, safe='')}"

    @property
    def summary(self) -> str:
        """The summary for the patient."""
        return f"{self.page}/summary{_query({'language': self.language})}"

    @property
    def logout(self) -> str:
        """Where the form that ends the launch goes."""
        return f"{self.page}/logout"

    def supposing(self, words: str) -> str:
        """The page with other suppositions."""
        return f"{self.page}{_query({'suppose': words, 'language': self.language})}"

    def also_supposing(self, word: str) -> str:
        """The page with one supposition more."""
        return self.supposing(",".join(part for part in (self.supposed, word) if part))

    def in_language(self, language: str) -> str:
        """What is shown, in another language."""
        return f"{self.page}{self.part}{_query({'suppose': self.supposed, 'language': language})}"


def _query(parameters: Mapping[str, str]) -> str:
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given, safe=':,')}" if given else ""
