"""Who it is, as plain text: what a chart has for a name may hold anything (CARD-03)."""

from cards.markdown import plain
from server.patient_page.opened import Banner


def identity(banner: Banner | None) -> Banner | None:
    """The banner without invisible and reversing characters; None where the EHR shows one itself."""
    if banner is None:
        return None
    return Banner(plain(banner.name), plain(banner.birth_date), plain(banner.identifier), plain(banner.sex))
