"""What SMART asks of an authorization request beyond OAuth 2: `state`, `aud`, `launch`, and PKCE with S256.

An extension of Authlib's authorization code grant (https://hl7.org/fhir/smart-app-launch/app-launch.html, "Obtain authorization
code").
"""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]

from sandbox.authorization.memory import Memory


class S256Challenge(CodeChallenge):  # type: ignore[misc]
    """PKCE (RFC 7636), with S256 and for every app."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with another method."""
        data = grant.request.payload.data
        if not data.get("code_challenge") or not data.get("code_challenge_method"):
            raise InvalidRequestError("PKCE is needed: send code_challenge, and code_challenge_method S256.")
        super().validate_code_challenge(grant, redirect_uri)


class SmartRequest:
    """The rest.

    Args:
        memory: of launches.
        fhir_base: what `aud` has to be.
    """

    def __init__(self, memory: Memory, fhir_base: str) -> None:
        """Of one server."""
        self._memory, self._fhir_base = memory, fhir_base

    def __call__(self, grant: Any) -> None:
        """Extend a grant."""
        grant.register_hook("after_validate_authorization_request_payload", self._check)

    def _check(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("state"):
            raise InvalidRequestError("state is needed.")
        if (data.get("aud") or "").rstrip("/") != self._fhir_base:
            raise InvalidRequestError("aud has to be the base URL of this FHIR server.")
        is_launch = "launch" in grant.request.scope.split()
        if is_launch and self._memory.launch(data.get("launch") or "") is None:
            raise InvalidRequestError("launch is missing, was used before, or has expired. Open the app from the chart again.")
        if data.get("launch") and not is_launch:
            raise InvalidScopeError("A launch from the EHR needs the scope launch.")
