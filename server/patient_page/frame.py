"""What stands around every page of a patient: who it is, what the EHR opened the app for, and the links."""

from cards.markdown import plain
from fhir_profiles.sentences import AsWritten
from server.patient_page.addresses import Addresses
from server.patient_page.banner import identity
from server.patient_page.opened import Opened


def frame(opened: Opened, addresses: Addresses) -> dict[str, object]:
    """What the layout prints.

    Args:
        opened: the patient.
        addresses: of the page.
    """
    about = AsWritten(", ".join(plain(reference) for reference in opened.about))
    return {"opened": opened, "banner": identity(opened.banner), "about": about, "addresses": addresses}
