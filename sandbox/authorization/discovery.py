"""What the authorization server says about itself: the SMART configuration and the OpenID one.

https://hl7.org/fhir/smart-app-launch/conformance.html. Only what works is named.
"""

from collections.abc import Sequence

from sandbox.authorization.addresses import Addresses
from sandbox.authorization.client_assertion import ALGORITHMS
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.smart_apps import CLIENT_SECRET_BASIC, PRIVATE_KEY_JWT, PUBLIC
from sandbox.bundles import Json
from sandbox.keys import ID_TOKEN_ALGORITHM

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
SCOPES = (
    "launch",
    "launch/patient",
    "openid",
    "fhirUser",
    "online_access",
    "offline_access",
    "patient/*.cruds",
    "user/*.cruds",
    "system/*.rs",
    "patient/*.read",
    "patient/*.write",
    "user/*.read",
    "user/*.write",
)
_V2_ENDINGS = (".cruds", ".rs")


def smart_configuration(addresses: Addresses, misbehaviour: Misbehaviour) -> Json:
    """`[base]/.well-known/smart-configuration`.

    Args:
        addresses: of this EHR.
        misbehaviour: what is switched on.
    """
    v2 = ("permission-v2",) if misbehaviour.v1_only else ()
    common = _common(addresses, misbehaviour)
    return common | {
        "capabilities": _without(CAPABILITIES, v2),
        "associated_endpoints": [{"url": addresses.fhir_base, "capabilities": _without(CAPABILITIES, v2)}],
    }


def openid_configuration(addresses: Addresses, misbehaviour: Misbehaviour) -> Json:
    """`[issuer]/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, section 3)."""
    return _common(addresses, misbehaviour) | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ID_TOKEN_ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "fhirUser"],
    }


def _common(addresses: Addresses, misbehaviour: Misbehaviour) -> Json:
    """What both say."""
    return _relative(addresses, misbehaviour) | {
        "issuer": addresses.fhir_base,
        "jwks_uri": addresses.jwks,
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "scopes_supported": [scope for scope in SCOPES if not (misbehaviour.v1_only and scope.endswith(_V2_ENDINGS))],
        "code_challenge_methods_supported": ["plain"] if misbehaviour.plain_only else ["S256"],
        "token_endpoint_auth_methods_supported": [PRIVATE_KEY_JWT, CLIENT_SECRET_BASIC, PUBLIC],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
    }


def _relative(addresses: Addresses, misbehaviour: Misbehaviour) -> Json:
    endpoints = {
        "authorization_endpoint": addresses.authorize,
        "token_endpoint": addresses.token,
        "revocation_endpoint": addresses.revoke,
        "introspection_endpoint": addresses.introspect,
    }
    if not misbehaviour.relative_urls:
        return endpoints
    return {name: url.removeprefix(addresses.origin) for name, url in endpoints.items()}


def _without(words: Sequence[str], left_out: Sequence[str]) -> list[str]:
    return [word for word in words if word not in left_out]
