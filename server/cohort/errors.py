"""What stops a cohort run: it says what to do, and what was done stays done."""


class CohortError(Exception):
    """The run cannot go on; the message is for whoever started it, and names no patient."""


class MachineTroubleError(CohortError):
    """It cannot go on because of the machine or the cluster, and not because of what was asked for."""


class TooLittleMemoryError(MachineTroubleError):
    """It may go on with more memory than it was allowed."""
