"""The apps that are registered at the EHR."""

import hmac
from dataclasses import dataclass, field

from sandbox.authorization.scopes import allowed
from sandbox.bundles import Json

PRIVATE_KEY_JWT = "private_key_jwt"
CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105 (the name of a method)
PUBLIC = "none"
AUTHENTICATION_METHODS = (PRIVATE_KEY_JWT, CLIENT_SECRET_BASIC, PUBLIC)
"""How a client may prove at the token endpoint who it is, by their names in RFC 7591 and OpenID."""

BACKEND_SCOPES = ("system/*.rs",)
"""What a system may ask for; it gets as much of it as it asks for."""


@dataclass(frozen=True, slots=True)
class SmartApp:
    """One registered app. The methods are what Authlib asks of a client.

    Args:
        client_id: its id.
        name: in words, for the page that asks for consent.
        redirect_uris: where its codes may go; compared letter by letter.
        launch_url: where an EHR launch begins.
        scopes: all that it may ever ask for.
        jwks_url: where its public keys are, for `private_key_jwt`.
        jwks: the keys themselves, for one that publishes none.
        secret: for `client_secret_basic`; with neither, it is a public app.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    launch_url: str
    scopes: tuple[str, ...]
    jwks_url: str | None = None
    jwks: Json | None = None
    secret: str | None = field(default=None, repr=False)

    @property
    def authentication_method(self) -> str:
        """The one way in which it has to authenticate."""
        if self.jwks_url or self.jwks:
            return PRIVATE_KEY_JWT
        return CLIENT_SECRET_BASIC if self.secret else PUBLIC

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a SMART app has to say where to go."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What of the scopes it is registered for; None, which refuses the request, if that is nothing."""
        return " ".join(allowed((scope or "").split(), self.scopes)) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is one of the registered ones."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether that is its secret."""
        return self.secret is not None and hmac.compare_digest(client_secret.encode(), self.secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it is to authenticate in this way, at any endpoint."""
        return method == self.authentication_method

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for this; there are codes only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use this grant; credentials alone are for those that can prove who they are, with a key."""
        return grant_type != "client_credentials" or self.authentication_method == PRIVATE_KEY_JWT


def myositis_app(service_url: str) -> SmartApp:
    """The app of the decision support service that the sandbox was made for.

    Args:
        service_url: its base URL, without a trailing slash.
    """
    return SmartApp(
        client_id="myositis-cds",
        name="Myositis decision support",
        redirect_uris=(f"{service_url}/smart/callback",),
        launch_url=f"{service_url}/smart/launch",
        scopes=("launch", "launch/patient", "openid", "fhirUser", "online_access", "patient/*.rs"),
        jwks_url=f"{service_url}/.well-known/jwks.json",
    )


def backend_app(service_url: str) -> SmartApp:
    """The same service as a system that acts for itself (SMART Backend Services), with the keys of its app.

    Args:
        service_url: its base URL, without a trailing slash.
    """
    return SmartApp(
        client_id="myositis-cds-backend",
        name="Myositis decision support, cohort runs",
        redirect_uris=(),
        launch_url="",
        scopes=BACKEND_SCOPES,
        jwks_url=f"{service_url}/.well-known/jwks.json",
    )


def backend_with_keys(jwks: Json) -> SmartApp:
    """A system of whoever has the private keys to these public ones.

    Args:
        jwks: JWK Set.
    """
    return SmartApp("backend", "A system with keys of its own", (), "", BACKEND_SCOPES, jwks=jwks)
