"""What SMART adds to the answer of the token endpoint: the launch context, and the id_token.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html, "Launch context arrives with your access_token".
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from json import dumps
from typing import Any

from authlib.oidc.core import OpenIDCode  # type: ignore[import-untyped]

from sandbox.authorization.memory import Memory
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.records import Code, Session
from sandbox.bundles import Json
from sandbox.keys import ID_TOKEN_ALGORITHM, EhrKeys

TENANT = "sandbox"
ID_TOKEN_SECONDS = 300


class LaunchContext:
    """`patient`, `encounter` and the like, in the answer to a code and to a refresh token.

    Args:
        style_url: `smart_style_url`.
        misbehaviour: what is switched on.
    """

    def __init__(self, style_url: str, misbehaviour: Callable[[], Misbehaviour]) -> None:
        """Of one server."""
        self._style_url, self._misbehaviour = style_url, misbehaviour

    def __call__(self, grant: Any) -> None:
        """Extend a grant."""
        grant.register_hook("after_create_token_response", self._add)

    def _add(self, grant: Any, response: tuple[int, Json, Any]) -> None:
        context = self.context_of(grant.request.user)
        if self._misbehaviour().no_patient:
            context.pop("patient", None)
        response[1].update(context)

    def context_of(self, session: Session) -> Json:
        """The members for a session; what there is nothing to say about is left out."""
        consent = session.consent
        context: Json = {"tenant": TENANT, "smart_style_url": self._style_url, "need_patient_banner": True}
        if consent.patient:
            context["patient"] = consent.patient
        if launch := consent.launch:
            context["encounter"] = launch.encounter
            context["need_patient_banner"] = launch.need_patient_banner
            said = {"fhirContext": list(launch.fhir_context), "appContext": launch.app_context, "intent": launch.intent}
            context |= {name: value for name, value in said.items() if value}
        return context


class IdToken(OpenIDCode):  # type: ignore[misc]
    """The id_token (OpenID Connect Core 1.0, section 2), with the `fhirUser` that SMART wants.

    Args:
        keys: of the EHR.
        memory: of nonces.
        issuer: `iss`.
        misbehaviour: what is switched on.
    """

    def __init__(self, keys: EhrKeys, memory: Memory, issuer: str, misbehaviour: Callable[[], Misbehaviour]) -> None:
        """Of one server."""
        super().__init__(require_nonce=True)
        self._keys, self._memory, self._issuer, self._misbehaviour = keys, memory, issuer, misbehaviour

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Whether it was used before."""
        return self._memory.nonce_is_known(nonce, request.payload.client_id)

    def resolve_client_private_key(self, client: Any) -> Any:
        """The key to sign with."""
        return (EhrKeys() if self._misbehaviour().wrong_key else self._keys).key(ID_TOKEN_ALGORITHM)

    def get_client_algorithm(self, client: Any) -> str:
        """How to sign."""
        return ID_TOKEN_ALGORITHM

    def get_encode_header(self, client: Any) -> Json:
        """The header; with the `kid` of the published key, whatever it is really signed with."""
        return {"typ": "JWT", "alg": ID_TOKEN_ALGORITHM, "kid": self._keys.key_id(ID_TOKEN_ALGORITHM)}

    def get_client_claims(self, client: Any) -> Json:
        """Who says it, to whom, until when."""
        audience = "another-app" if self._misbehaviour().other_audience else client.get_client_id()
        issuer = f"{self._issuer}/other" if self._misbehaviour().wrong_issuer else self._issuer
        return {"iss": issuer, "aud": audience, "exp": int(time.time()) + ID_TOKEN_SECONDS}

    def get_authorization_code_claims(self, authorization_code: Code) -> Json:
        """The nonce, and when the user logged in."""
        claims: Json = super().get_authorization_code_claims(authorization_code)
        return claims | ({"nonce": "another-nonce"} if self._misbehaviour().wrong_nonce else {})

    def generate_user_info(self, user: Session, scope: str) -> Json:
        """Who it is."""
        resource = f"{self._issuer}/Practitioner/{user.consent.user}"
        return {"sub": user.consent.user} | ({"fhirUser": resource} if "fhirUser" in scope.split() else {})

    def encode_id_token(self, token: Any, request: Any) -> str:
        """The id_token; unsigned, where that is switched on."""
        signed = str(super().encode_id_token(token, request))
        if not self._misbehaviour().unsigned:
            return signed
        header = urlsafe_b64encode(dumps({"typ": "JWT", "alg": "none"}).encode()).decode().rstrip("=")
        return f"{header}.{signed.split('.')[1]}."
