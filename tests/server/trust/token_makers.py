"""Makes tokens that are wrong in one way. A maker gets the EHR and the audience, and gives a token, or whole headers."""

import hmac
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.server.trust.ehrs import Ehr, jwk, part, private_key, signed

Headers = Sequence[tuple[str, str]]
Make = Callable[[Ehr, str], str | Headers]

OTHER = private_key("P-384", "somebody else")


def claims(**changes: Any) -> Make:
    """A token with other claims, well signed; None leaves a claim out."""
    return lambda ehr, audience: ehr.forged(claims=changes, audience=audience)


def raw_claims(old: str, new: str) -> Make:
    """A token with this change to the JSON of its claims, in which `exp` is 0, well signed."""
    return lambda ehr, audience: signed(ehr.header(), json.dumps(ehr.claims(audience, exp=0)).replace(old, new), ehr.ec)


def moments(**offsets: int) -> Make:
    """A token with other moments, in seconds from now."""
    return lambda ehr, audience: ehr.forged(
        claims={name: int(time.time()) + by for name, by in offsets.items()}, audience=audience
    )


def audience(change: Callable[[str], str]) -> Make:
    """A token for a changed audience."""
    return lambda ehr, right: ehr.token(change(right))


def header(**changes: Any) -> Make:
    """A token with another header, well signed; None leaves a member out."""
    return lambda ehr, audience: ehr.forged(changes, audience=audience)


def jku(ending: str) -> Make:
    """A token with a `jku` that goes on after the registered URL, well signed."""
    return lambda ehr, audience: ehr.forged({"jku": ehr.jwks_url + ending}, audience=audience)


def signed_with(kid: str, kind: str, name: str, algorithm: str = "ES384", said: str | None = None) -> Make:
    """A token signed with a certain key; `said` is what `alg` has."""
    return lambda ehr, audience: signed(
        ehr.header(kid=kid, alg=said or algorithm), ehr.claims(audience), private_key(kind, name), algorithm
    )


def parts(first: Any, second: Any = None) -> Make:
    """Three parts with any content in the first, or the second, well signed."""
    return lambda ehr, audience: signed(
        ehr.header() if first is None else first, ehr.claims(audience) if second is None else second, ehr.ec
    )


def authorization(change: Callable[[str], str]) -> Make:
    """The value of the Authorization header, made of a right token."""
    return lambda ehr, audience: [("Authorization", change(ehr.token(audience)))]


def cookie(ehr: Ehr, audience: str) -> Headers:
    return [("Cookie", f"token={ehr.token(audience)}")]


def two_headers(ehr: Ehr, audience: str) -> Headers:
    return [("Authorization", f"Bearer {ehr.token(audience)}"), ("Authorization", f"Bearer {ehr.token(audience)}")]


def unsigned(ehr: Ehr, audience: str) -> str:
    return f"{part(ehr.header(alg='none'))}.{part(ehr.claims(audience))}.{part('x')}"


def without_signature(ehr: Ehr, audience: str) -> str:
    return jwt.encode(ehr.claims(audience), None, "none", ehr.header(alg="none"))


def hmac_with_public_key(ehr: Ehr, audience: str) -> str:
    """The classic: the public key, which everybody has, as the secret."""
    content = f"{part(ehr.header(alg='HS256', kid='rsa'))}.{part(ehr.claims(audience))}"
    secret = ehr.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{content}.{part(hmac.digest(secret, content.encode(), 'sha256'))}"


def member_twice(ehr: Ehr, audience: str) -> str:
    return signed(json.dumps(ehr.header())[:-1] + ', "alg": "ES384"}', ehr.claims(audience), ehr.ec)


def key_in_header(ehr: Ehr, audience: str) -> str:
    return ehr.forged({"jwk": jwk(OTHER), "kid": "x"}, audience=audience, key=OTHER)


def foreign_jku(ehr: Ehr, audience: str) -> str:
    return ehr.forged({"jku": f"{ehr.jwks_url}.foreign", "kid": "foreign"}, audience=audience, key=OTHER)


def signed_by_another(ehr: Ehr, audience: str) -> str:
    return ehr.forged(audience=audience, key=OTHER)


def said_to_be_pss(ehr: Ehr, audience: str) -> str:
    return signed(ehr.header(kid="rsa", alg="PS384"), ehr.claims(audience), ehr.rsa, "RS384")


def changed_after_signing(ehr: Ehr, audience: str) -> str:
    first, second, third = ehr.token(audience).split(".")
    changed = json.loads(urlsafe_b64decode(second + "==")) | {"jti": "another"}
    return f"{first}.{part(changed)}.{third}"


def half_a_signature(ehr: Ehr, audience: str) -> str:
    return ehr.token(audience)[:-40]


def issuer_with_slash(ehr: Ehr, audience: str) -> str:
    return ehr.forged(claims={"iss": f"{ehr.issuer}/"}, audience=audience)


def encrypted(ehr: Ehr, audience: str) -> str:
    return f"{ehr.token(audience)}.YQ.YQ"


def flattened(ehr: Ehr, audience: str) -> str:
    protected, payload, signature = ehr.token(audience).split(".")
    return json.dumps({"protected": protected, "payload": payload, "signature": signature})


def nested(ehr: Ehr, audience: str) -> str:
    return signed(ehr.header(cty="JWT"), ehr.token(audience), ehr.ec)
