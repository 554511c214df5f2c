"""The packaged knowledge with each statement and safety rule twice, under another id."""

import shutil
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from cards.layers import PACKAGED, RULE_FOLDERS

SUFFIX = "-again"

_NOBODY = {"age": {"over": 150}}


class Copies(Enum):
    """For whom the copies hold."""

    HOLD = "as the originals do"
    """So there is twice the advice too, to be put into words."""

    HOLD_FOR_NOBODY = "for nobody"
    """They are held against the patient in full, and come to nothing: twice the rules, and the same advice."""


def doubled(folder: Path, copies: Copies) -> Path:
    """Write it as a whole knowledge folder.

    Args:
        folder: that is made.
        copies: for whom they hold.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    for table in PACKAGED.glob("*.yaml"):
        shutil.copy(table, folder)
    for kind, member in RULE_FOLDERS.items():
        (folder / kind).mkdir()
        for file in (PACKAGED / kind).glob("*.yaml"):
            document = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
            # In the same file, after the originals: a condition may name the statements before it.
            document[member] += [_copy(entry, copies) for entry in document[member]]
            text = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
            (folder / kind / file.name).write_text(text, "utf-8")
    return folder


def _copy(entry: dict[str, Any], copies: Copies) -> dict[str, Any]:
    copy = entry | {"id": entry["id"] + SUFFIX}
    if copies is Copies.HOLD_FOR_NOBODY:
        # After the condition itself, which is therefore evaluated to its end.
        copy["when"] = {"all": [*([entry["when"]] if "when" in entry else []), _NOBODY]}
    return copy
