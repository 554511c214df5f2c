"""Speaking with an EHR's token endpoint, as the confidential client that we are (A-7, A-15, A-17; SM-12)."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from server.outbound.http import Answer, OutboundError, post
from server.smart.closed_words import one_of
from server.smart.configuration import MOST_BYTES, SmartConfiguration
from server.smart.keys import ASSERTION_TYPE, SigningKeys
from server.smart.stops import StopError
from server.trust.clients import Client, SmartRegistration

SECONDS = 5.0
HARD_SECONDS = 7.0
"""Until we go on without an answer: looking up a name takes time beyond `SECONDS`, and an exchange that is late sends nothing."""

_OK = 200
_ERRORS = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope")


class TokenError(Exception):
    """There is no token.

    Args:
        reason: one word out of a closed set: an error of RFC 6749, one of `OutboundError`, `status`, `not-json` or
            `no-configuration`.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason

    @property
    def is_final(self) -> bool:
        """Whether to ask again would bring the same."""
        return self.reason in _ERRORS


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The token endpoint of one EHR.

    Args:
        configuration: of the EHR; asked for when it is needed.
        client: the registered EHR.
        registration: of our app with it.
        keys: to sign with.
    """

    configuration: Callable[[], SmartConfiguration]
    client: Client
    registration: SmartRegistration
    keys: SigningKeys

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Mapping[str, Any]:
        """The token response for a code.

        Args:
            code: as the browser brought it.
            redirect_uri: as it was asked with.
            verifier: of PKCE.

        Raises:
            TokenError: there is none.
        """
        return self._token(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        )

    def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """The token response for a refresh token.

        Raises:
            TokenError: there is none.
        """
        return self._token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def revoke(self, token: str, kind: str) -> bool:
        """Give a token back (RFC 7009); whether the EHR said that it took it.

        Args:
            token: which.
            kind: `access_token` or `refresh_token`.
        """
        try:
            to = self._configuration()
            if not to.revocation_endpoint:
                return False
            return self._post(to.revocation_endpoint, {"token": token, "token_type_hint": kind}, to).status == _OK
        except TokenError:
            return False

    def _token(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        to = self._configuration()
        answer = self._post(to.token_endpoint, form, to)
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            content = None
        if answer.status != _OK:
            error = content.get("error") if isinstance(content, dict) else None
            raise TokenError(one_of(error, _ERRORS, "status"))
        if not isinstance(content, dict):
            raise TokenError("not-json")
        return content

    def _configuration(self) -> SmartConfiguration:
        try:
            return self.configuration()
        except StopError as error:
            raise TokenError("no-configuration") from error

    def _post(self, url: str, form: Mapping[str, str], to: SmartConfiguration) -> Answer:
        credentials, headers = self._authentication(to)
        pool = ThreadPoolExecutor(1, thread_name_prefix="token")
        try:
            return pool.submit(
                post,
                url,
                {**form, **credentials},
                headers={"Accept": "application/json", **headers},
                seconds=SECONDS,
                most_bytes=MOST_BYTES,
                ca_file=self.client.ca_file,
            ).result(HARD_SECONDS)
        except OutboundError as error:
            raise TokenError(error.reason) from error
        except TimeoutError:
            raise TokenError("timeout") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _authentication(self, to: SmartConfiguration) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Fields of the form, and headers, that say who we are."""
        ours = self.registration
        if ours.authentication == "client_secret_basic":
            pair = f"{quote_plus(ours.client_id)}:{quote_plus(ours.secret)}"  # RFC 6749, 2.3.1
            return {}, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        assertion = self.keys.assertion(ours.client_id, to.token_endpoint, to.signing_algorithms)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, {}
