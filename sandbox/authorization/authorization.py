"""The authorization server for the rest of the sandbox: register an app, launch it, give a token to a hook, judge a token."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.access import Access
from sandbox.authorization.addresses import Addresses
from sandbox.authorization.checks import Attempt, Checks
from sandbox.authorization.memory import LAUNCH_SECONDS, Memory, new_secret
from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.authorization.records import Consent, Launch, Session, Token
from sandbox.authorization.server import SmartServer
from sandbox.authorization.smart_apps import SmartApp
from sandbox.chart_store import ChartStore
from sandbox.clinic import PRACTITIONERS, encounter_id
from sandbox.keys import EhrKeys
from sandbox.search_parameters import PARAMETERS

HOOK_SECONDS = 300
"""How long a token for one hook call lives."""

_AT_THE_DESK: str = PRACTITIONERS[0]["id"]


@dataclass(frozen=True, slots=True)
class HookToken:
    """What goes into `fhirAuthorization` (CDS Hooks 2.0.1, "Passing the Access Token to the CDS Service").

    Args:
        access_token: the token.
        token_type: `Bearer`.
        expires_in: seconds.
        scope: what it grants, in SMART v1's form.
        subject: client id of the service.
        patient: FHIR id of the only patient that it is for.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str
    subject: str
    patient: str


class Authorization:
    """See the module. Threads may share it.

    Args:
        store: the charts.
        keys: of the EHR.
        origin: of the EHR, `http://127.0.0.1:8001`, without a trailing slash.
        token_seconds: how long an access token lives.
        misbehaviour: what is switched on.
        now: the clock, seconds since 1970.
    """

    def __init__(
        self,
        store: ChartStore,
        keys: EhrKeys,
        origin: str,
        *,
        token_seconds: int = 3600,
        misbehaviour: Callable[[], Misbehaviour] = Misbehaviour,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Know no app yet."""
        self.store, self.keys, self.misbehaviour = store, keys, misbehaviour
        self.addresses = Addresses(origin)
        self.memory = Memory(now)
        self._apps: dict[str, SmartApp] = {}
        self._checks = Checks(self.addresses, self.memory, self._apps.get)
        self.server = SmartServer(self.addresses, keys, self.memory, self._checks, self._apps.get, token_seconds, misbehaviour)

    @property
    def apps(self) -> Sequence[SmartApp]:
        """The registered apps."""
        return tuple(self._apps.values())

    def register(self, app: SmartApp) -> None:
        """Register an app, or register it anew."""
        self._apps[app.client_id] = app

    def launch(
        self,
        patient_id: str,
        *,
        app_context: str | None = None,
        fhir_context: Sequence[Mapping[str, Any]] = (),
        intent: str | None = None,
        user: str = _AT_THE_DESK,
        need_patient_banner: bool = True,
    ) -> str:
        """Begin an EHR launch: the value for the `launch` parameter. It can be used once, within five minutes.

        Args:
            patient_id: whose chart is open.
            app_context: of the card's link, as it is.
            fhir_context: further references for the app, `{"reference": "ServiceRequest/1"}`.
            intent: what the app is opened for.
            user: id of the practitioner who is logged in, so that nobody is asked; empty to ask for login and consent.
            need_patient_banner: False where the EHR shows who the patient is beside the app.

        Raises:
            ValueError: nobody here has that id.
        """
        self._require(patient_id)
        value = new_secret()
        expires = self.memory.now() + LAUNCH_SECONDS
        references = tuple(dict(each) for each in fhir_context)
        encounter = encounter_id(patient_id)
        self.memory.add_launch(
            Launch(value, patient_id, encounter, user, app_context, references, intent, need_patient_banner, expires)
        )
        return value

    def hook_token(self, patient_id: str, *, subject: str = "myositis-cds") -> HookToken:
        """A token with which a service may read one patient for a while.

        Args:
            patient_id: whom it is for.
            subject: client id of the service; each service has its own, so that none is told another's (CDS Hooks 2.0.1,
                "Passing the Access Token to the CDS Service").

        Raises:
            ValueError: nobody here has that id.
        """
        self._require(patient_id)
        scopes = tuple(f"patient/{resource_type}.read" for resource_type in PARAMETERS)
        now = self.memory.now()
        session = Session(subject, Consent(_AT_THE_DESK, scopes, patient_id), now)
        token = Token(new_secret(), None, session, " ".join(scopes), now + HOOK_SECONDS)
        self.memory.add_token(token)
        return HookToken(token.access_token, "Bearer", HOOK_SECONDS, token.scope, subject, patient_id)

    def revoke(self, token: str) -> None:
        """End the session of an access token; CDS Hooks wants that of a hook's token once the answer is there."""
        if found := self.memory.by_access_token(token):
            self.memory.revoke(found.session)

    def access(self, token: str) -> Access | None:
        """What an access token grants; None for one that is unknown, revoked or expired."""
        found = self.memory.by_access_token(token)
        if found is None:
            return None
        self._checks.token_used(found)
        return found.access

    def checks(self) -> Sequence[Attempt]:
        """What the last launches did right and wrong, the newest first."""
        return self._checks.attempts()

    def _require(self, patient_id: str) -> None:
        if self.store.chart(patient_id) is None:
            raise ValueError("nobody here has that patient id")
