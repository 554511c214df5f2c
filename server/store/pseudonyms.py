"""A patient in our tables is a keyed hash: enough to find the same patient again, useless without the key."""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as hmac


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes the hashes.

    Args:
        key: secret; whoever has it can test a guess.
    """

    key: bytes = field(repr=False)

    def of(self, client: str, patient_id: str) -> str:
        """The pseudonym of a patient.

        Args:
            client: name of the registered client, so that two EHRs cannot be matched with each other.
            patient_id: FHIR id.

        Returns:
            64 hexadecimal digits.
        """
        return hmac(self.key, f"{client}\n{patient_id}".encode(), sha256).hexdigest()
