"""A patient in our tables is a keyed hash: enough to find the same patient again, useless without the key."""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from secrets import token_hex

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from server.config import PREFIX, ConfigurationError
from server.store.tables import installation
from server.store.transactions import transaction

_KEY_BYTES = 32
_ROW = "pseudonym key"


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

    def key_for(self, purpose: str) -> bytes:
        """Another key, that tells nothing about this one (RFC 5869, the expanding step).

        Args:
            purpose: one word of ours.
        """
        return hmac(self.key, f"myositis-cds {purpose}\x01".encode(), sha256).digest()


def load_pseudonyms(engine: Engine, key_file: Path | None) -> Pseudonyms:
    """Make pseudonyms with the key of this installation.

    Args:
        engine: the database; without a file the key is made once and kept there, the same for every process.
        key_file: holds the key, apart from the database, so that neither is enough to test a guess.

    Raises:
        ConfigurationError: the file cannot be read, or is too short to be a key.
        StoreError: the database cannot be used.
    """
    return Pseudonyms(_key_in_file(key_file) if key_file else bytes.fromhex(_key_in_database(engine)))


def _key_in_file(file: Path) -> bytes:
    setting = f"{PREFIX}PSEUDONYM_KEY_FILE: {file}"
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"{setting} cannot be read: {error.strerror}") from None
    if len(key) < _KEY_BYTES:
        raise ConfigurationError(f"{setting} has fewer than {_KEY_BYTES} bytes; make a key with: openssl rand -hex {_KEY_BYTES}")
    return key


def _key_in_database(engine: Engine) -> str:
    try:
        with transaction(engine) as connection:
            kept = connection.execute(select(installation.c.value).where(installation.c.name == _ROW)).scalar()
            if kept is None:
                kept = token_hex(_KEY_BYTES)
                connection.execute(insert(installation).values(name=_ROW, value=kept))
    except IntegrityError:
        return _key_in_database(engine)  # another process was first, and its key counts
    return str(kept)
