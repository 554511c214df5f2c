"""EHRs that call: each with a key of its own, and the file that registers them all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

PUBLIC_URL = "https://cds.example"
_LIFE = 300  # seconds


@dataclass(frozen=True, slots=True)
class Ehr:
    """A registered EHR.

    Args:
        name: of the client.
        key: that it signs with (ES384).
    """

    name: str
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-384", {"kid": "soak"}, private=True))

    def token(self, path: str) -> str:
        """A new token.

        Args:
            path: of the endpoint that it is for.
        """
        now = int(time.time())
        claims = {"iss": self._issuer, "aud": PUBLIC_URL + path, "iat": now, "exp": now + _LIFE, "jti": str(uuid4())}
        return jwt.encode({"alg": "ES384", "kid": "soak", "typ": "JWT"}, claims, self.key, ["ES384"])

    @property
    def registration(self) -> str:
        """Its table in `clients.toml`."""
        public = self.key.as_dict(private=False)
        members = ", ".join(f'{name} = "{public[name]}"' for name in ("kty", "crv", "x", "y", "kid"))
        return f'[[client]]\nname = "{self.name}"\nissuer = "{self._issuer}"\njwks = {{keys = [{{{members}}}]}}\n'

    @property
    def _issuer(self) -> str:
        return f"https://{self.name}.example"


def ehrs(number: int) -> tuple[Ehr, ...]:
    """So many EHRs."""
    return tuple(Ehr(f"hospital-{position}") for position in range(1, number + 1))


def clients_toml(registered: Sequence[Ehr], **settings: str | int) -> str:
    """The file that registers them, with the same settings for each."""
    more = "".join(f"{name} = {_written(value)}\n" for name, value in settings.items())
    return "\n".join(ehr.registration + more for ehr in registered)


def _written(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
