"""The table of wrong tokens: what each row shows, a sentence, the reason in the log, and how it is made.

Used by the tests of the application and by those of the running service.
"""

from typing import Any

import pytest

from tests.server.trust.ehrs import Ehr, Json, jwk, private_key
from tests.server.trust.token_makers import (
    Make,
    audience,
    authorization,
    changed_after_signing,
    claims,
    cookie,
    encrypted,
    flattened,
    foreign_jku,
    half_a_signature,
    header,
    hmac_with_public_key,
    issuer_with_slash,
    jku,
    key_in_header,
    member_twice,
    moments,
    nested,
    parts,
    raw_claims,
    said_to_be_pss,
    signed_by_another,
    signed_with,
    two_headers,
    unsigned,
    without_signature,
)

HOSPITAL, CLINIC = "hospital", "clinic"
"""The clinic is registered with the tenants north and south; both have the algorithms of the default only."""


def published_by(ehr: Ehr) -> Json:
    """The JWK Set that the EHRs of this table publish: their own keys, and some that are no good."""
    return ehr.jwks(
        jwk(private_key("RSA-1024", "weak"), kid="weak"),
        jwk(private_key("P-384", "first"), kid="twice"),
        jwk(private_key("P-384", "second"), kid="twice"),
        jwk(private_key("P-256", "short curve"), kid="p-256"),
        jwk(private_key("P-384", "encrypts"), kid="encrypts", use="enc"),
        jwk(private_key("P-384", "signs"), kid="signs", key_ops=["sign"]),
        jwk(private_key("RSA-2048", "rs512"), kid="rs512", alg="RS512"),
        jwk(ehr.ec, kid="a+b/c,d=="),
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "symmetric"},
    )


def row(shows: str, sentence: str, reason: str, make: Make, ehr: str = HOSPITAL) -> Any:
    return pytest.param(ehr, reason, make, id=sentence, marks=pytest.mark.requirement(*shows.split()))


WRONG = [
    # The header that carries it
    row("J-10", "no Authorization header", "no-token", lambda ehr, aud: []),
    row("JWT-18", "two Authorization headers", "not-bearer", two_headers),
    row("JWT-18", "another scheme", "not-bearer", authorization(lambda token: f"Basic {token}")),
    row("JWT-18", "no scheme", "not-bearer", authorization(lambda token: token)),
    row("JWT-18", "a scheme only", "not-bearer", authorization(lambda token: "Bearer")),
    row("JWT-18", "a word after the token", "not-bearer", authorization(lambda token: f"Bearer {token} x")),
    row("JWT-18", "a token of 20 KiB", "too-long", authorization(lambda token: f"Bearer {token}{'a' * 20_000}")),
    row("JWT-18", "a token in a cookie", "no-token", cookie),
    # Not a token
    row("J-10", "an opaque token", "not-bearer", lambda ehr, aud: "b3BhcXVl"),
    row("J-10", "five parts, as if encrypted", "not-bearer", encrypted),
    row("J-10", "JSON serialization", "not-bearer", flattened),
    row("J-10", "a token within a token", "claims", nested),
    row("J-11", "a header that is not JSON", "header", parts("alg")),
    row("J-11", "a header that is a list", "header", parts("[]")),
    row("J-11", "a header nested 5,000 deep", "header", parts("[" * 5000)),
    row("J-12", "claims that are not JSON", "claims", parts(None, "iss")),
    row("J-12", "claims that are not UTF-8", "claims", parts(None, b'{"iss": "\xff"}')),
    # Algorithm
    row("J-14 JWT-01", "alg none, something as signature", "algorithm", unsigned),
    row("J-14 JWT-01", "alg none, no signature", "not-bearer", without_signature),
    row("J-14 JWT-01", "HS256 with the public key as secret", "algorithm", hmac_with_public_key),
    row("JWT-01", "an algorithm that does not exist", "algorithm", header(alg="ES999")),
    row("J-15 JWT-01", "ES256, which is not registered", "algorithm", signed_with("p-256", "P-256", "short curve", "ES256")),
    row("JWT-01", "PKCS 1 where PSS is said", "algorithm", said_to_be_pss),
    row("J-11", "no alg", "header", header(alg=None)),
    row("J-11", "alg as a list", "header", header(alg=["ES384"])),
    # Other header parameters
    row("J-11", "typ of another kind of token", "header", header(typ="at+jwt")),
    row("J-11", "no typ", "header", header(typ=None)),
    row("JWT-04", "crit", "header", header(crit=["exp"], exp=1)),
    row("JWT-04", "b64 false", "header", header(b64=False)),
    row("JWT-04", "alg twice in the header", "header", member_twice),
    row("JWT-04", "a key in the header", "header", key_in_header),
    row("JWT-04", "x5u", "header", header(x5u="https://evil.example/certificate.pem")),
    row("JWT-04", "x5c", "header", header(x5c=["MIIB"])),
    row("J-4 JWT-04", "a foreign jku", "jwk-set-url", foreign_jku),
    row("J-4 JWT-04", "a jku that only begins like the registered one", "jwk-set-url", jku("?x")),
    row("J-4 JWT-04", "a jku that redirects to the registered one", "jwk-set-url", jku(".redirect")),
    row("JWT-04", "a jku that is a list", "header", header(jku=["https://hospital.example"])),
    # Key
    row("J-11 JWT-08", "no kid", "header", header(kid=None)),
    row("J-11 JWT-08", "kid as a number", "header", header(kid=1)),
    row("J-21 JWT-05", "an unknown kid", "unknown-key", header(kid="unknown")),
    row("J-20 JWT-08", "a kid that names two keys", "ambiguous-key", signed_with("twice", "P-384", "first")),
    row("J-20", "a key for encryption", "unknown-key", signed_with("encrypts", "P-384", "encrypts")),
    row("J-20", "a key for signing only", "unknown-key", signed_with("signs", "P-384", "signs")),
    row("JWT-03", "a key for another algorithm", "algorithm", signed_with("rs512", "RSA-2048", "rs512", "RS384")),
    row("JWT-03", "the kid of a key of another type", "unknown-key", header(kid="rsa")),
    row("JWT-03", "the wrong curve", "algorithm", signed_with("p-256", "P-256", "short curve", "ES256", said="ES384")),
    row("JWT-02", "an RSA key of 1024 bits", "unknown-key", signed_with("weak", "RSA-1024", "weak", "RS384")),
    row("J-14", "a symmetric key", "unknown-key", header(kid="symmetric")),
    # Signature
    row("J-16", "signed by somebody else", "signature", signed_by_another),
    row("J-16 JWT-09", "signed by another client", "signature", signed_with("ec", "P-384", CLINIC)),
    row("J-16", "changed after signing", "signature", changed_after_signing),
    row("J-16", "half a signature", "signature", half_a_signature),
    # Issuer and tenant
    row("J-4 JWT-09", "an unknown issuer", "issuer", claims(iss="https://evil.example")),
    row("J-4 JWT-09", "an issuer with a slash more", "issuer", issuer_with_slash),
    row("J-12", "no issuer", "claims", claims(iss=None)),
    row("J-16 JWT-09", "a tenant that is not on the list", "tenant", claims(tenant="east"), CLINIC),
    row("J-16 JWT-09", "no tenant, where one is needed", "tenant", claims(), CLINIC),
    row("J-12 JWT-09", "a tenant that is a list", "claims", claims(tenant=["north"]), CLINIC),
    # Audience
    row("J-12 J-13", "no audience", "claims", claims(aud=None)),
    row("J-13 JWT-10", "an empty list of audiences", "claims", claims(aud=[])),
    row("J-13 JWT-10", "an audience that is a number", "claims", claims(aud=[1])),
    row(
        "J-13 JWT-10",
        "the audience of another service",
        "audience",
        audience(lambda url: url.replace("patient-view", "order-sign")),
    ),
    row("J-13 JWT-10", "the audience of discovery", "audience", audience(lambda url: url.rpartition("/")[0])),
    row("J-13 JWT-10", "an audience that goes on", "audience", audience(lambda url: f"{url}-more")),
    row("J-13 JWT-10", "an audience with two slashes at the end", "audience", audience(lambda url: f"{url}//")),
    row("J-13 JWT-10", "an audience with a double slash", "audience", audience(lambda url: url.replace("s/my", "s//my"))),
    row("J-13 JWT-10", "an audience in upper case", "audience", audience(str.upper)),
    row("J-13 JWT-10", "an audience of another host", "audience", audience(lambda url: url.replace("://", "://x."))),
    row("J-13 JWT-10", "an audience of another scheme", "audience", audience(lambda url: f"ftp:{url.partition(':')[2]}")),
    # Moments
    row("J-16 JWT-11", "expired", "expired", moments(exp=-70, iat=-370)),
    row("JWT-12", "issued in the future", "not-yet", moments(iat=90, exp=390)),
    row("J-12 JWT-12", "not yet valid", "not-yet", moments(nbf=90)),
    row("JWT-11", "a life of ten years", "life", moments(exp=315_000_000)),
    row("JWT-11", "a life one second too long", "life", moments(iat=0, exp=301)),
    row("JWT-12", "issued long ago", "life", moments(iat=-3600)),
    row("JWT-11", "expired before it was issued", "life", moments(iat=10, exp=5)),
    row("J-12 JWT-11", "no exp", "claims", claims(exp=None)),
    row("J-12 JWT-12", "no iat", "claims", claims(iat=None)),
    row("JWT-11", "exp as a string", "claims", claims(exp="4102444800")),
    row("JWT-11", "exp as true", "claims", claims(exp=True)),
    row("JWT-12", "iat as a list", "claims", claims(iat=[1])),
    row("JWT-12", "nbf as a string", "claims", claims(nbf="1")),
    row("JWT-12", "a negative iat", "claims", claims(iat=-1)),
    row("JWT-11", "exp of 1e308", "claims", claims(exp=1e308)),
    row("JWT-11", "exp that no number can hold", "claims", raw_claims('"exp": 0', '"exp": 1e999')),
    row("JWT-11", "exp of 5,000 digits", "claims", raw_claims('"exp": 0', f'"exp": {"9" * 5000}')),
    row("JWT-11", "exp that is not a number, as JavaScript says", "claims", raw_claims('"exp": 0', '"exp": NaN')),
    row("JWT-11", "exp twice", "claims", raw_claims('"exp": 0', '"exp": 0, "exp": 4102444800')),
    # jti
    row("J-12 JWT-13", "no jti", "claims", claims(jti=None)),
    row("JWT-13", "an empty jti", "claims", claims(jti="")),
    row("JWT-13", "a jti that is a number", "claims", claims(jti=1)),
    row("JWT-13", "a jti of 257 characters", "claims", claims(jti="a" * 257)),
    row("JWT-13", "a jti that no database keeps", "claims", claims(jti="a\0b")),
    row("JWT-13", "a jti with half a character", "claims", claims(jti="a\ud800")),
]
