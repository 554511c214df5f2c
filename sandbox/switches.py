"""What goes wrong, or otherwise than usual, while one tries things out."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.authorization.misbehaviour import SWITCHED, Misbehaviour
from sandbox.dialects import DIALECTS
from sandbox.errors import DeskError
from sandbox.faults import FAULTS, Fault

PREFETCH = ("all", "minimal", "none")
MINIMAL_INPUTS = frozenset(("Patient", "Condition", "MedicationRequest"))


@dataclass(frozen=True, slots=True)
class Switches:
    """See the module.

    Args:
        prefetch: `all`, `minimal` (Patient, Condition and MedicationRequest) or `none` (the service has to call back).
        token: send an access token for calling back.
        fault: a kind of `sandbox.faults` that the FHIR API suffers from, or empty.
        wrong_patient: send another patient's data under this patient's id, as prefetch and over the FHIR API.
        dialect: how this EHR speaks CDS Hooks: a key of `sandbox.dialects`.
        authorization: a key of `SWITCHED`, what the authorization server does wrong, or empty.

    Raises:
        DeskError: there is no such position.
    """

    prefetch: str = "all"
    token: bool = True
    fault: str = ""
    wrong_patient: bool = False
    dialect: str = "standard"
    authorization: str = ""

    def __post_init__(self) -> None:
        """Check the positions."""
        for name, position, positions in (
            ("prefetch", self.prefetch, PREFETCH),
            ("fault", self.fault, ("", *FAULTS)),
            ("dialect", self.dialect, DIALECTS),
            ("authorization", self.authorization, ("", *SWITCHED)),
        ):
            if position not in positions:
                raise DeskError(f"The switch {name} has no such position. Choose one of: {', '.join(filter(None, positions))}.")

    @property
    def sends(self) -> frozenset[str] | None:
        """The resource types that are sent as prefetch; None for all."""
        return {"all": None, "minimal": MINIMAL_INPUTS, "none": frozenset[str]()}[self.prefetch]


def faults_of(switches: Switches) -> Mapping[str, Fault]:
    """What the FHIR API suffers from, by resource type."""
    kind = switches.fault or ("another-patient" if switches.wrong_patient else "")
    return {"*": Fault(kind)} if kind else {}


def misbehaviour_of(switches: Switches) -> Misbehaviour | None:
    """What the authorization server does wrong; None for nothing."""
    return SWITCHED[switches.authorization][1] if switches.authorization else None
