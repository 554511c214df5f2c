"""What is measured, in which unit and within which limits; the limits are made up, as those of a laboratory are its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A test whose result is a number.

    Args:
        concept: its ValueSet.
        unit: UCUM code.
        low, high: limits of the laboratory, in this unit; None where there is none.
        category: of the Observation: `laboratory`, `vital-signs` or `exam`.
        decimals: after the point.
    """

    concept: str
    unit: str
    low: float | None
    high: float | None
    category: str = "laboratory"
    decimals: int = 0

    @property
    def has_no_limits(self) -> bool:
        """No result is high or low."""
        return self.low is None and self.high is None


CREATINE_KINASE = Measure("creatine_kinase", "U/L", 30, 190)
ALT = Measure("alt", "U/L", 7, 45)
AST = Measure("ast", "U/L", 8, 40)
FVC = Measure("fvc_percent_predicted", "%", 80, None, "procedure")
DLCO = Measure("dlco_percent_predicted", "%", 76, None, "procedure")
SATURATION = Measure("oxygen_saturation", "%", 95, 99, "vital-signs")
FERRITIN = Measure("ferritin", "ug/L", 15, 300)
MMT8 = Measure("mmt8", "{score}", None, None, "exam")
CMAS = Measure("cmas", "{score}", None, None, "exam")
SHOULDER = Measure("muscle_strength_mrc_shoulder_abduction", "{score}", None, None, "exam")
HIP = Measure("muscle_strength_mrc_hip_flexion", "{score}", None, None, "exam")
FINGERS = Measure("muscle_strength_mrc_finger_flexion", "{score}", None, None, "exam")
KNEE = Measure("muscle_strength_mrc_knee_extension", "{score}", None, None, "exam")

EVERYDAY = (
    Measure("haemoglobin", "g/dL", 11.5, 16.5, decimals=1),
    Measure("leukocytes", "10*9/L", 4, 11, decimals=1),
    Measure("platelets", "10*9/L", 150, 400),
    Measure("creatinine", "umol/L", 45, 104),
    Measure("crp", "mg/L", 0, 5, decimals=1),
    Measure("heart_rate", "/min", 58, 96, "vital-signs"),
    SATURATION,
)
"""Asked for at any visit, of anybody."""
