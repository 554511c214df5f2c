"""A site's folder, written as it is needed."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from cards.layers import PACKAGED

COLONOSCOPY = "titulaer-2011-dm-colonoscopy-over-50"

OLDER_COLONOSCOPY = f"""\
source: titulaer-2011
recommendations:
  - id: {COLONOSCOPY}
    topic: tumourScreening
    says: colonoscopy over the age of 63 in dermatomyositis (age limit of this hospital)
    strength: recommended
    when: {{all: [{{population: adult-dermatomyositis}}, {{age: {{over: 63}}}}]}}
    orders: [colonoscopy]
    counts_from_months_before_onset: 12
"""
"""The statement of Titulaer 2011 with another age limit."""


def _older_in_the_review() -> str:
    """The summary of Meyer 2019 with the same age limit."""
    document = yaml.safe_load((PACKAGED / "guidelines" / "meyer-2019.yaml").read_text("utf-8"))
    (entry,) = (one for one in document["recommendations"] if one["id"] == "meyer-2019-dm-tumour-summary")
    (part,) = (part for part in entry["orders_if"] if "age" in part["when"])
    part["when"] = {"age": {"over": 63}}
    return yaml.safe_dump({"source": document["source"], "recommendations": [entry]})


OLDER_EVERYWHERE = {"guidelines__ours": OLDER_COLONOSCOPY, "guidelines__review": _older_in_the_review()}
"""Both statements that name an age for colonoscopy, with another age limit."""

OWN_STATEMENT = """\
source: house-default
recommendations:
  - id: our-physiotherapy
    topic: supportiveCare
    says: the physiotherapist of this hospital sees every adult with dermatomyositis
    strength: statement
    when: {population: adult-dermatomyositis}
"""


def site_with(folder: Path, **files: str) -> Path:
    """A site folder; `guidelines__local=` writes `guidelines/local.yaml`."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def site_switching(folder: Path, on: Iterable[str] = (), off: Iterable[str] = ()) -> Path:
    """A site folder that only switches rules."""
    return site_with(folder, site=yaml.safe_dump({"on": sorted(on), "off": sorted(off)}))
