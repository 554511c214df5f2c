"""The app: a launch begun, answered, found again (A-1 to A-12; SM-01 to SM-05)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.config import PREFIX, ConfigurationError
from server.feedback.patients import pseudonyms_in_app
from server.observing.logs import logger
from server.runtime import Runtime
from server.smart.app_context import focus_of
from server.smart.authorization import Secrets, authorization_url
from server.smart.configuration import Configurations, SmartConfiguration
from server.smart.grant import Grant, GrantError, read_grant
from server.smart.identity import IdentityError, check_identity, issuer_of
from server.smart.keys import SigningKeys, load_signing_keys
from server.smart.launches import GRANT, Launch, Launches
from server.smart.paths import CALLBACK_PATH
from server.smart.registered import Ehr, find_ehr, registered_ehrs
from server.smart.scopes import Granted, asked_scopes, has_data
from server.smart.sealing import load_sealer
from server.smart.sessions import Session, give_back
from server.smart.stops import (
    EHR_REFUSED,
    ENDED,
    NO_DATA,
    NO_PATIENT,
    NO_TOKEN,
    WRONG_IDENTITY,
    WRONG_ISSUER,
    WRONG_STATE,
    StopError,
)
from server.smart.token_endpoint import TokenEndpoint, TokenError

_LONGEST_PARAMETER = 4096
_security = logger("security")


@dataclass(frozen=True, slots=True)
class Begun:
    """A launch that has begun.

    Args:
        url: where the browser goes.
        launch: id of the launch.
        cookie: for the browser.
        ehr: that is asked.
    """

    url: str = field(repr=False)  # has the state in it
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
        return registered_ehrs(self.runtime.clients)

    def begin(self, iss: str, launch: str | None) -> Begun:
        """Begin a launch.

        Args:
            iss: FHIR base URL, as sent.
            launch: of an EHR launch, as sent; None for a standalone launch.

        Raises:
            StopError: it is not a registered EHR, or it does not say how to sign in.
        """
        ehr = find_ehr(self.ehrs, iss)
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
        if launch is None or launch.has_ended:  # one whose sealing key is gone holds nothing either
            raise StopError(WRONG_STATE, "state")
        ehr = find_ehr(self.ehrs, launch.holds["base"], launch.client)
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
        try:
            ehr = find_ehr(self.ehrs, launch.holds["base"], launch.client)
        except StopError:
            self.launches.end(launch)  # of an EHR that is registered no more nothing is kept
            raise
        return Session(launch, self.launches, self._endpoint(ehr)), ehr

    def _granted(self, answer: Mapping[str, str], launch: Launch, ehr: Ehr) -> dict[str, object]:
        """What the EHR grants for the answer of a launch."""
        configuration = self._configuration(ehr)
        _check_issuer(answer, configuration)
        code = answer.get("code", "")
        if "error" in answer or not 0 < len(code) <= _LONGEST_PARAMETER:
            said = answer.get("error_description") or answer.get("error", "")
            raise StopError(EHR_REFUSED, "error" if "error" in answer else "no-code", said=said[:500])
        endpoint, asked = self._endpoint(ehr), launch.holds
        try:
            response = endpoint.exchange(code, self._redirect_uri, asked["verifier"])
            grant = read_grant(response, asked["scope"], self.launches.clock())
        except (TokenError, GrantError) as error:
            raise StopError(NO_TOKEN, error.reason) from error
        try:
            self._check_user(response, grant, ehr, configuration, asked["nonce"])
            if not grant.patient:
                raise StopError(NO_PATIENT, "no-patient")
            if not has_data(Granted(grant.scope), ehr.client):
                raise StopError(NO_DATA, "no-data")
        except StopError:
            give_back(grant, endpoint)
            raise
        patients = pseudonyms_in_app(ehr.client, grant.tenant or None, ehr.base, grant.patient, self.runtime.pseudonyms)
        focus = focus_of(grant.app_context, ehr.client, patients, self.runtime.database, self.launches.clock)
        return {"base": ehr.base, "focus": focus, GRANT: grant.as_json()}

    def _check_user(
        self, response: Mapping[str, object], grant: Grant, ehr: Ehr, configuration: SmartConfiguration, nonce: str
    ) -> None:
        """Whether the EHR vouches for who signed in; it need not where it did not grant us to know."""
        if not Granted(grant.scope).has_identity and "id_token" not in response:
            return
        issuer = issuer_of(configuration, ehr.client.ca_file)
        try:
            check_identity(
                response.get("id_token"),
                issuer,
                client_id=ehr.registration.client_id,
                nonce=nonce,
                base=ehr.base,
                now=self.launches.clock(),
            )
        except IdentityError as error:
            _security.warning("id_token_refused", reason=error.reason, client=ehr.client.name)
            raise StopError(WRONG_IDENTITY, error.reason) from error

    def _configuration(self, ehr: Ehr) -> SmartConfiguration:
        return self.configurations.of(ehr.base, ehr.client.ca_file)

    def _endpoint(self, ehr: Ehr) -> TokenEndpoint:
        return TokenEndpoint(lambda: self._configuration(ehr), ehr.client, ehr.registration, self.keys())

    @property
    def _redirect_uri(self) -> str:
        return self.runtime.url(CALLBACK_PATH)


def open_app(runtime: Runtime) -> SmartApp:
    """Put the app together.

    Raises:
        ConfigurationError: a file of keys cannot be used, or the public URL has a path.
    """
    sealer, keys = load_sealer(runtime.config.session_key_file), load_signing_keys(runtime.config.smart_key_file)
    app = SmartApp(runtime, Launches(runtime.database, sealer), keys)
    if app.ehrs:
        if urlsplit(runtime.config.public_url).path:
            raise ConfigurationError(
                f"public URL ({PREFIX}PUBLIC_URL): the SMART app links to its pages from the root of a host, so the URL has no "
                "path; give the service a host name of its own, or take the smart table from the file of clients"
            )
        keys()  # made before the first request, which would wait for them
    return app


def _check_issuer(answer: Mapping[str, str], configuration: SmartConfiguration) -> None:
    """The answer must come from whom we asked (RFC 9207; SM-04): no other EHR's code is brought to this one's token endpoint."""
    said = answer.get("iss")
    if said is None and not configuration.names_issuer:
        return
    if said != configuration.issuer:
        raise StopError(WRONG_ISSUER, "issuer")
