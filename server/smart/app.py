"""The app: a launch begun, answered, found again (A-1 to A-12; SM-01 to SM-05)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server.ehr.address import normal_base
from server.feedback.patients import pseudonyms_in_app
from server.runtime import Runtime
from server.smart.app_context import focus_of
from server.smart.authorization import Secrets, authorization_url
from server.smart.configuration import Configurations, SmartConfiguration
from server.smart.grant import Grant, GrantError, read_grant
from server.smart.identity import IdentityError, issuer_of, verified_user
from server.smart.keys import SigningKeys, load_signing_keys
from server.smart.launches import GRANT, Launch, Launches
from server.smart.paths import CALLBACK_PATH
from server.smart.scopes import Granted, asked_scopes
from server.smart.sealing import load_sealer
from server.smart.sessions import Session, give_back
from server.smart.stops import (
    EHR_REFUSED,
    ENDED,
    NO_PATIENT,
    NO_TOKEN,
    UNKNOWN_EHR,
    WRONG_IDENTITY,
    WRONG_ISSUER,
    WRONG_STATE,
    StopError,
)
from server.smart.token_endpoint import TokenEndpoint, TokenError
from server.trust.clients import Client, SmartRegistration

_LONGEST_PARAMETER = 4096
_security = logging.getLogger("myositis_cds.security")


@dataclass(frozen=True, slots=True)
class Ehr:
    """A registered EHR that the app can be launched from.

    Args:
        client: the registered client.
        registration: of the app with it.
        base: one of its FHIR base URLs, as registered.
    """

    client: Client
    registration: SmartRegistration
    base: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A launch that has begun.

    Args:
        url: where the browser goes.
        launch: id of the launch.
        cookie: for the browser.
        ehr: that is asked.
    """

    url: str
    launch: str
    cookie: str = field(repr=False)
    ehr: Ehr


@dataclass(frozen=True, slots=True, eq=False)
class SmartApp:
    """What the pages of the app are served from.

    Args:
        runtime: the parts of the service.
        launches: the database's.
        keys: to sign with.
        configurations: what EHRs say about signing in.
    """

    runtime: Runtime
    launches: Launches
    keys: Callable[[], SigningKeys]
    configurations: Configurations = field(default_factory=Configurations)

    @property
    def ehrs(self) -> tuple[Ehr, ...]:
        """Every FHIR server that the app can be launched from."""
        return tuple(Ehr(one, one.smart, base) for one in self.runtime.clients if one.smart for base in one.fhir_servers)

    def begin(self, iss: str, launch: str | None) -> Begun:
        """Begin a launch.

        Args:
            iss: FHIR base URL, as sent.
            launch: of an EHR launch, as sent; None for a standalone launch.

        Raises:
            StopError: it is not a registered EHR, or it does not say how to sign in.
        """
        ehr = self._ehr(iss)
        if launch is not None and not 0 < len(launch) <= _LONGEST_PARAMETER:
            raise StopError(EHR_REFUSED, "launch-parameter")
        configuration = self._configuration(ehr)
        secrets, is_standalone = Secrets(), launch is None
        scope = asked_scopes(ehr.client, configuration, is_standalone=is_standalone)
        holds = {"base": ehr.base, "nonce": secrets.nonce, "verifier": secrets.verifier, "scope": scope}
        begun, cookie = self.launches.begin(ehr.client.name, secrets.state, holds, is_standalone=is_standalone)
        url = authorization_url(
            configuration.authorization_endpoint,
            secrets,
            client_id=ehr.registration.client_id,
            redirect_uri=self._redirect_uri,
            scope=scope,
            base=ehr.base,
            launch=launch,
        )
        return Begun(url, begun, cookie, ehr)

    def finish(self, answer: Mapping[str, str], cookie_of: Callable[[str], str]) -> tuple[str, str, Ehr]:
        """Finish a launch with what the browser brings back from the EHR.

        Args:
            answer: parameters of the callback.
            cookie_of: the value of the cookie of a launch.

        Returns:
            Id of the launch, its new cookie, and the EHR.

        Raises:
            StopError: nothing was opened.
        """
        launch = self.launches.answered(answer.get("state", ""), cookie_of)
        if launch is None:
            raise StopError(WRONG_STATE, "state")
        ehr = self._ehr(str(launch.holds.get("base", "")), launch.client)
        try:
            holds = self._granted(answer, launch, ehr)
        except StopError as stop:
            self.launches.end(launch)
            stop.again = ehr.base if launch.is_standalone else ""
            raise
        return launch.id, self.launches.open(launch, holds), ehr

    def session(self, launch_id: str, cookie: str) -> tuple[Session, Ehr]:
        """The open launch of a path.

        Raises:
            StopError: this browser has none of that id, or it has ended.
        """
        launch = self.launches.find(launch_id, cookie)
        if launch is None or not launch.is_open:
            ehrs = [one for one in self.ehrs if launch and launch.is_standalone and one.client.name == launch.client]
            raise StopError(ENDED, "ended", again=ehrs[0].base if ehrs else "")
        ehr = self._ehr(launch.holds["base"], launch.client)
        return Session(launch, self.launches, self._endpoint(ehr, self._configuration(ehr))), ehr

    def _granted(self, answer: Mapping[str, str], launch: Launch, ehr: Ehr) -> dict[str, object]:
        """What the EHR grants for the answer of a launch."""
        configuration = self._configuration(ehr)
        _check_issuer(answer, configuration)
        code = answer.get("code", "")
        if "error" in answer or not 0 < len(code) <= _LONGEST_PARAMETER:
            said = answer.get("error_description") or answer.get("error", "")
            raise StopError(EHR_REFUSED, "error" if "error" in answer else "no-code", said=said[:500])
        endpoint, asked = self._endpoint(ehr, configuration), launch.holds
        try:
            response = endpoint.exchange(code, self._redirect_uri, asked["verifier"])
            grant = read_grant(response, asked["scope"], self.launches.clock())
        except (TokenError, GrantError) as error:
            raise StopError(NO_TOKEN, error.reason) from error
        try:
            user = self._user(response, grant, ehr, configuration, asked["nonce"])
            if not grant.patient:
                raise StopError(NO_PATIENT, "no-patient")
        except StopError:
            give_back(grant, endpoint)
            raise
        patients = pseudonyms_in_app(ehr.client, grant.tenant or None, ehr.base, grant.patient, self.runtime.pseudonyms)
        focus = focus_of(grant.app_context, ehr.client, patients, self.runtime.database, self.launches.clock)
        return {"base": ehr.base, "focus": focus, GRANT: {**grant.as_json(), "fhir_user": user}}

    def _user(self, response: Mapping[str, object], grant: Grant, ehr: Ehr, configuration: SmartConfiguration, nonce: str) -> str:
        """Who signed in; empty where the EHR did not grant us to know."""
        if not Granted(grant.scope).has_identity and "id_token" not in response:
            return ""
        issuer = issuer_of(configuration, ehr.client.ca_file)
        try:
            return verified_user(
                response.get("id_token"),
                issuer,
                client_id=ehr.registration.client_id,
                nonce=nonce,
                base=ehr.base,
                now=self.launches.clock(),
            )
        except IdentityError as error:
            _security.warning("event=id_token_refused reason=%s client=%s", error.reason, ehr.client.name)
            raise StopError(WRONG_IDENTITY, error.reason) from error

    def _ehr(self, iss: str, client: str | None = None) -> Ehr:
        """The registered EHR with this FHIR base URL; nothing is asked of anybody else."""
        base = normal_base(iss)
        for ehr in self.ehrs:
            if base is not None and normal_base(ehr.base) == base and client in (None, ehr.client.name):
                return ehr
        raise StopError(UNKNOWN_EHR, "unknown-iss")

    def _configuration(self, ehr: Ehr) -> SmartConfiguration:
        return self.configurations.of(ehr.base, ehr.client.ca_file)

    def _endpoint(self, ehr: Ehr, configuration: SmartConfiguration) -> TokenEndpoint:
        return TokenEndpoint(configuration, ehr.client, ehr.registration, self.keys())

    @property
    def _redirect_uri(self) -> str:
        return self.runtime.url(CALLBACK_PATH)


def open_app(runtime: Runtime) -> SmartApp:
    """Put the app together.

    Raises:
        ConfigurationError: a file of keys cannot be used.
    """
    sealer = load_sealer(runtime.config.session_key_file)
    return SmartApp(runtime, Launches(runtime.database, sealer), load_signing_keys(runtime.config.smart_key_file))


def _check_issuer(answer: Mapping[str, str], configuration: SmartConfiguration) -> None:
    """The answer must come from whom we asked (RFC 9207; SM-04): no other EHR's code is brought to this one's token endpoint."""
    said = answer.get("iss")
    if said is None and not configuration.names_issuer:
        return
    if said != configuration.issuer:
        raise StopError(WRONG_ISSUER, "issuer")
