"""Authlib's authorization server, put together with our grants, apps and memory."""

from collections.abc import Callable
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.rfc6750 import BearerTokenGenerator  # type: ignore[import-untyped]
from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]
from authlib.oauth2.rfc7662 import IntrospectionEndpoint  # type: ignore[import-untyped]
from authlib.oauth2.rfc9207 import IssuerParameter  # type: ignore[import-untyped]

from sandbox.authorization.addresses import Addresses
from sandbox.authorization.checks import Checks
from sandbox.authorization.client_assertion import ClientAssertion
from sandbox.authorization.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from sandbox.authorization.memory import Memory, new_secret
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.published_keys import PublishedKeys
from sandbox.authorization.records import Consent, Session, Token
from sandbox.authorization.scopes import REFRESHING
from sandbox.authorization.smart_apps import AUTHENTICATION_METHODS, PRIVATE_KEY_JWT, SmartApp
from sandbox.authorization.smart_request import S256Challenge, SmartRequest
from sandbox.authorization.token_answer import IdToken, LaunchContext
from sandbox.bundles import Json
from sandbox.keys import EhrKeys

BACKEND_SECONDS = 300
"""A token of a system lives no longer (SMART Backend Services, "Issue access token")."""


class SmartServer(AuthorizationServer):  # type: ignore[misc]
    """See the module.

    Args:
        addresses: of its endpoints.
        keys: of the EHR.
        memory: codes, tokens, launches.
        checks: what apps did right and wrong.
        app_of: a registered app by its client id.
        token_seconds: how long an access token lives.
        misbehaviour: what is switched on.
    """

    def __init__(
        self,
        addresses: Addresses,
        keys: EhrKeys,
        memory: Memory,
        checks: Checks,
        app_of: Callable[[str], SmartApp | None],
        token_seconds: int,
        misbehaviour: Callable[[], Misbehaviour],
    ) -> None:
        """Register grants, endpoints and client authentication."""
        super().__init__(query_client=app_of, save_token=self._remember)
        self.memory, self.checks, self.misbehaviour, self._token_seconds = memory, checks, misbehaviour, token_seconds
        self.issuer = addresses.fhir_base
        context = LaunchContext(addresses.style, misbehaviour)
        id_token = IdToken(keys, memory, self.issuer, misbehaviour)
        smart_request = SmartRequest(memory, addresses.fhir_base)
        self.register_token_generator("default", _TokenGenerator(new_secret, new_secret, self._seconds))
        self.register_grant(AuthorizationCodeGrant, [S256Challenge(), smart_request, id_token, context])
        self.register_grant(RefreshTokenGrant, [context])
        self.register_grant(ClientCredentialsGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)
        self.register_extension(_Issuer())
        assertion = ClientAssertion(memory, addresses.token, PublishedKeys().read)
        self.register_client_auth_method(PRIVATE_KEY_JWT, assertion)

    def get_authorization_grant(self, request: Any) -> Any:
        """The grant of an authorization request; there is one only, and what is asked for instead is not said again."""
        if request.payload.response_type == "code":
            return super().get_authorization_grant(request)
        client, redirect_uri = self.query_client(request.payload.client_id), request.payload.redirect_uri
        known = client is not None and client.check_redirect_uri(redirect_uri)
        raise OAuth2Error(
            error="unsupported_response_type",
            description="The app has to ask for a code." if client else "No app is registered here with that client_id.",
            redirect_uri=redirect_uri if known else None,
        )

    def _seconds(self, client: SmartApp, grant_type: str) -> int:
        shorter = self.misbehaviour().token_seconds
        usual = min(self._token_seconds, BACKEND_SECONDS) if grant_type == "client_credentials" else self._token_seconds
        return usual if shorter is None else shorter

    def _remember(self, token: Json, request: Any) -> None:
        """Keep a token that is about to be sent."""
        now = self.memory.now()
        session: Session = request.user or Session(request.client.client_id, Consent("", tuple(token["scope"].split())), now)
        self.memory.add_token(
            Token(token["access_token"], token.get("refresh_token"), session, token["scope"], now + token["expires_in"])
        )


class _TokenGenerator(BearerTokenGenerator):  # type: ignore[misc]
    """Random tokens; a refresh token only where a scope asks for one, and the scopes as they were granted."""

    def __init__(self, access: Callable[[], str], refresh: Callable[[], str], seconds: Callable[..., int]) -> None:
        super().__init__(lambda **_: access(), lambda **_: refresh(), seconds)

    def generate(
        self,
        grant_type: str,
        client: SmartApp,
        user: Session | None = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> Any:
        refreshing = include_refresh_token and any(each in REFRESHING for each in (scope or "").split())
        return super().generate(grant_type, client, user, scope, expires_in, refreshing)


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = AUTHENTICATION_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        memory: Memory = self.server.memory
        return memory.by_access_token(token_string) or memory.by_refresh_token(token_string)

    def revoke_token(self, token: Token, request: Any) -> None:
        self.server.memory.revoke(token.session)


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = AUTHENTICATION_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        memory: Memory = self.server.memory
        return memory.by_access_token(token_string)

    def check_permission(self, token: Token, client: SmartApp, request: Any) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> Json:
        access = token.access
        said = {"patient": access.patient, "sub": token.session.consent.user, "fhirUser": access.user}
        return {
            "active": True,
            "client_id": access.client_id,
            "scope": token.scope,
            "token_type": "Bearer",
            "exp": int(token.expires),
            "iss": self.server.issuer,
        } | {name: value for name, value in said.items() if value}


class _Issuer(IssuerParameter):  # type: ignore[misc]
    """`iss` in the authorization response (RFC 9207). Authlib makes it with the server it belongs to."""

    def __call__(self, server: Any) -> None:
        self._server = server
        super().__call__(server)

    def get_issuer(self) -> str:
        suffix = "/other" if self._server.misbehaviour().wrong_issuer else ""
        return f"{self._server.issuer}{suffix}"
