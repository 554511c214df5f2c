"""The grants of the server, Authlib's with our memory: authorization code, refresh token, client credentials."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants  # type: ignore[import-untyped]

from sandbox.authorization.memory import CODE_SECONDS, Memory, new_secret
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.records import Code, Consent, Session, Token
from sandbox.authorization.smart_apps import AUTHENTICATION_METHODS, PRIVATE_KEY_JWT


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """A code for a consent (RFC 6749, section 4.1). The user that Authlib speaks of is a `Consent`, later its `Session`."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTHENTICATION_METHODS

    @property
    def _memory(self) -> Memory:
        memory: Memory = self.server.memory
        return memory

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Any) -> str:
        """The address to send the code to, letter by letter one of those registered; it is not said again, where it is none."""
        redirect_uri: str = request.payload.redirect_uri or ""
        if not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("redirect_uri has to be one of those that the app is registered with.")
        return redirect_uri

    def generate_authorization_code(self) -> str:
        """A new code."""
        return new_secret()

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Remember a code, and use the launch up that it began with."""
        consent: Consent = request.user
        if consent.launch and not self._memory.take_launch(consent.launch):
            raise InvalidRequestError("launch was used before.", redirect_uri=request.payload.redirect_uri)
        data, now = request.payload.data, self._memory.now()
        misbehaviour: Misbehaviour = self.server.misbehaviour()
        self._memory.add_code(
            Code(
                value=code,
                session=Session(request.client.get_client_id(), consent, now, self.server.checks.attempt_of(data)),
                redirect_uri=request.payload.redirect_uri,
                scope=" ".join(consent.scopes),
                nonce=data.get("nonce"),
                code_challenge=data["code_challenge"],
                code_challenge_method=data["code_challenge_method"],
                expires=now if misbehaviour.expired_code else now + CODE_SECONDS,
            )
        )

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        """Use a code. One attempt is all there is, whatever comes of it."""
        return self._memory.take_code(code, client.get_client_id())

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing to do: it is kept as used, so that a second use is noticed."""

    def authenticate_user(self, authorization_code: Code) -> Session | None:
        """The session that the code opens; None if it has ended while the code was on its way."""
        return None if authorization_code.session.revoked else authorization_code.session


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """A new pair of tokens for a refresh token, which counts once (RFC 6749, section 6; RFC 9700, section 4.14)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTHENTICATION_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """The token that it belongs to."""
        if self.server.misbehaviour().refuse_refresh:
            return None
        memory: Memory = self.server.memory
        return memory.by_refresh_token(refresh_token)

    def authenticate_user(self, refresh_token: Token) -> Session:
        """The session of the token."""
        return refresh_token.session

    def issue_token(self, user: Session, refresh_token: Token) -> Any:
        """Use the refresh token up, before anything is given for it."""
        if not self.server.memory.take_refresh_token(refresh_token):
            raise InvalidGrantError("The refresh token was used before.")
        self.server.checks.refreshed(refresh_token)
        return super().issue_token(user, refresh_token)

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Nothing to do: it is used up."""


class ClientCredentialsGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A token for a system that acts for itself (SMART Backend Services)."""

    TOKEN_ENDPOINT_AUTH_METHODS = (PRIVATE_KEY_JWT,)

    def validate_token_request(self) -> None:
        """Only scopes for a system make sense without a person."""
        super().validate_token_request()
        if not all(scope.startswith("system/") for scope in (self.request.payload.scope or "").split()):
            raise InvalidScopeError("Without a user there are only scopes that begin with system/.")
