"""What the patient of a call is called in our tables."""

from server.cds_hooks.envelope import HookCall
from server.ehr.address import normal_base
from server.store.pseudonyms import Pseudonyms
from server.trust.clients import Caller, Client


def pseudonym_of(call: HookCall, caller: Caller, pseudonyms: Pseudonyms) -> str:
    """The patient's pseudonym.

    A FHIR id is unique on one server only. Two tenants or two FHIR servers of one client may both have a patient 123, and what
    was said about one must not silence advice about the other; so tenant and server are part of who it is.

    Args:
        call: the hook call.
        caller: who sent it.
        pseudonyms: with the secret.
    """
    return _pseudonym(pseudonyms, caller.client, caller.tenant, call.fhir_server, call.patient_id)


def pseudonym_in_chart(patient_id: str | None, caller: Caller, pseudonyms: Pseudonyms) -> str | None:
    """The pseudonym of a patient whose chart was given whole, without a word about where it is from.

    Args:
        patient_id: FHIR id; None where the chart has none.
        caller: who sent it.
        pseudonyms: with the secret.
    """
    return _pseudonym(pseudonyms, caller.client, caller.tenant, None, patient_id) if patient_id else None


def pseudonym_in_app(client: Client, tenant: str | None, server: str, patient_id: str, pseudonyms: Pseudonyms) -> str:
    """The pseudonym of the patient of a launch: that of a hook call which names tenant and server as the launch does.

    Args:
        client: that the app was launched from.
        tenant: of the launch, if the EHR said it.
        server: base URL of the FHIR server.
        patient_id: FHIR id there.
        pseudonyms: with the secret.
    """
    return _pseudonym(pseudonyms, client, tenant, server, patient_id)


def pseudonyms_in_app(client: Client, tenant: str | None, server: str, patient_id: str, pseudonyms: Pseudonyms) -> frozenset[str]:
    """What the patient of a launch may be called in our tables.

    Hook calls name a tenant or not, and the FHIR server or not; a launch knows the server for certain, and the tenant only if
    the EHR says it. A tenant that the client has not, or another of its servers, is never among them.

    Args:
        client: that the app was launched from.
        tenant: of the launch, if the EHR said it.
        server: base URL of the FHIR server.
        patient_id: FHIR id there.
        pseudonyms: with the secret.
    """
    tenants = {tenant} if tenant else {None, *client.tenants}
    spellings = {one for one in client.fhir_servers if normal_base(one) == normal_base(server)}
    # A call that names no server is about the only one there is; with several, nobody can tell.
    servers = {server, *spellings, *([None] if len(client.fhir_servers) == 1 else [])}
    return frozenset(_pseudonym(pseudonyms, client, tenant, one, patient_id) for tenant in tenants | {None} for one in servers)


def _pseudonym(pseudonyms: Pseudonyms, client: Client, tenant: str | None, server: str | None, patient_id: str) -> str:
    where = "\n".join((client.name, tenant or "", (server or "").rstrip("/")))
    return pseudonyms.of(where, patient_id)
