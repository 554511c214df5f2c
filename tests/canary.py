"""Canaries: words that occur nowhere else, put wherever a patient, a user or a token is, and looked for where they must not be.

All canaries of one test begin with the same random letters, so that one search finds them all, however they were written down: as
they are (in a URL or a JSON string too, since they have letters and digits only), in capitals, in hexadecimal, or within base64.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from tests.server.charts import Json, resources

_ID = re.compile(r"[A-Za-z0-9.-]+")
_TEXTS = frozenset(
    [
        "text",
        "display",
        "family",
        "line",
        "city",
        "postalCode",
        "title",
        "conclusion",
        "valueString",
        "note",
        "patientInstruction",
        "div",
    ]
)
"""Members of FHIR resources that people write into."""
BIRTH_DATE = "1957-03-08"
"""No word, so it is looked for by itself; nothing else happened on that day."""


@dataclass(frozen=True)
class Canaries:
    """The canaries of one test.

    Args:
        letters: that they begin with.
        secrets: what others made up, such as the codes of an EHR, by what it is.
    """

    letters: str = field(default_factory=lambda: f"zq{token_hex(6)}x")
    secrets: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> str:
        """The canary of a kind of thing.

        Args:
            kind: small letters; a search says them again.
        """
        return f"{self.letters}{kind}"

    def keep(self, kind: str, secret: str) -> None:
        """Look for this, too."""
        assert len(secret) >= 8, f"{kind} is too short to be looked for"
        self.secrets[f"{kind} {len(self.secrets)}"] = secret

    def found_in(self, content: bytes | str, but: Iterable[str] = ()) -> list[str]:
        """What canaries there are in a text.

        Args:
            content: all of it.
            but: kinds that may be there.
        """
        written = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        small = written.lower()
        plain = {found[1].decode() for found in re.finditer(self.letters.encode() + b"([a-z]*)", small)}
        hidden = {how for how, letters in self._in_disguise() if letters in (small if how == "hex" else written)}
        kept = {kind for kind, secret in self.secrets.items() if any(one in written for one in _spellings(secret))}
        dates = {"birth date"} if BIRTH_DATE.encode() in written else set()
        return sorted((plain | hidden | kept | dates) - set(but))

    def found_below(self, folder: Path, but: Iterable[str] = ()) -> list[str]:
        """The same for every file, with its name; the names are searched too."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        inside = [f"{path.name}: {kind}" for path in files for kind in self.found_in(path.read_bytes(), but)]
        return inside + self.found_in(" ".join(path.name for path in folder.rglob("*")))

    def _in_disguise(self) -> Iterator[tuple[str, bytes]]:
        yield "hex", self.letters.encode().hex().encode()
        for shift in range(3):  # where in base64's groups of three the word begins
            coded = b64encode(b"\0" * shift + self.letters.encode())
            yield "base64", coded[(0, 2, 3)[shift] : len(coded) // 4 * 4 - 4]

    def put_into(self, chart: Json, patient: str) -> Json:
        """A chart in which every id and everything that people write has a canary in it, and the patient all that a patient has.

        Args:
            chart: a Bundle, as the sandbox has it.
            patient: the id of its patient, which becomes the canary `patient`.
        """
        marked: Json = self._marked(chart, patient)
        person = next(one for one in resources(marked) if one["resourceType"] == "Patient")
        person |= {
            "birthDate": BIRTH_DATE,
            "name": [{"family": self.of("family"), "given": [self.of("given")], "text": self.of("name")}],
            "identifier": [{"system": "https://ehr.example/mrn", "value": self.of("identifier")}],
            "address": [{"line": [self.of("street")], "city": self.of("city"), "postalCode": self.of("postcode")}],
            "telecom": [
                {"system": "phone", "value": self.of("telephone")},
                {"system": "email", "value": f"{self.of('mail')}@x.example"},
            ],
            "text": {"status": "generated", "div": f"<div>{self.of('narrative')}</div>"},
            "contact": [{"name": {"text": self.of("relative")}}],
        }
        for one in resources(marked):
            one["note"] = [{"text": self.of("note")}]
        return marked

    def _marked(self, value: Any, patient: str, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._marked(one, patient, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self._marked(one, patient, name) for one in value]
        if name == "id":
            return self._renamed(value, patient)
        if name in ("reference", "fullUrl"):
            *path, last = value.split("/")
            return "/".join((*path, self._renamed(last, patient)))
        return f"{value} {self.of('text')}" if name in _TEXTS else value

    def _renamed(self, identity: str, patient: str) -> str:
        if identity == patient:
            return self.of("patient")
        return f"{self.of('id')}-{identity.removeprefix(f'{patient}.')}"[:64] if _ID.fullmatch(identity) else identity


def _spellings(secret: str) -> set[bytes]:
    coded = secret.encode()
    inside = b64encode(coded)[: len(coded) // 3 * 4]
    return {coded, quote(secret, safe="").encode(), coded.hex().encode(), inside}
