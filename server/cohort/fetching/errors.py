"""What ends a fetch: each message is for whoever started it, and holds no token and nothing of a patient."""

from server.cohort.errors import CohortError


class FetchError(CohortError):
    """The fetch cannot go on now; what was done stays done, and the same command goes on."""


class JobGoneError(FetchError):
    """The EHR no longer has the export."""


class JobFailedError(FetchError):
    """The EHR could not make the export; another one may be begun."""


class RefusedTokenError(FetchError):
    """A token that was only just given is refused."""
