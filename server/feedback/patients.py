"""What the patient of a call is called in our tables."""

from server.cds_hooks.envelope import HookCall
from server.store.pseudonyms import Pseudonyms
from server.trust.clients import Caller


def pseudonym_of(call: HookCall, caller: Caller, pseudonyms: Pseudonyms) -> str:
    """The patient's pseudonym.

    A FHIR id is unique on one server only. Two tenants or two FHIR servers of one client may both have a patient 123, and what
    was said about one must not silence advice about the other; so tenant and server are part of who it is.

    Args:
        call: the hook call.
        caller: who sent it.
        pseudonyms: with the secret.
    """
    where = "\n".join((caller.client.name, caller.tenant or "", (call.fhir_server or "").rstrip("/")))
    return pseudonyms.of(where, call.patient_id)
