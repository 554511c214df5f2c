"""Where the authorization server and the FHIR API are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of one EHR.

    Args:
        origin: of the EHR, `http://127.0.0.1:8001`, without a trailing slash.
    """

    origin: str

    @property
    def fhir_base(self) -> str:
        """The FHIR API: `iss` of a launch, `aud` of a request, and the issuer of id_tokens."""
        return f"{self.origin}/fhir"

    @property
    def authorize(self) -> str:
        """The authorization endpoint."""
        return f"{self.origin}/auth/authorize"

    @property
    def token(self) -> str:
        """The token endpoint."""
        return f"{self.origin}/auth/token"

    @property
    def revoke(self) -> str:
        """The revocation endpoint."""
        return f"{self.origin}/auth/revoke"

    @property
    def introspect(self) -> str:
        """The introspection endpoint."""
        return f"{self.origin}/auth/introspect"

    @property
    def jwks(self) -> str:
        """The public keys of the EHR."""
        return f"{self.origin}/.well-known/jwks.json"

    @property
    def style(self) -> str:
        """`smart_style_url`."""
        return f"{self.origin}/auth/style.json"
