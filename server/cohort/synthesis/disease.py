"""Which myositis somebody has, since when, with which antibody and organs, and what a reader of the chart should make of it."""

from dataclasses import dataclass
from random import Random

from server.cohort.synthesis.chance import Choice, spread, within
from server.cohort.synthesis.proportions import Proportions

ANTISYNTHETASE = frozenset({"anti-jo1", "anti-pl7", "anti-pl12", "anti-ej", "anti-oj"})
JUVENILE = frozenset({"juvenile-dermatomyositis", "juvenile-myositis", "juvenile-overlap-myositis"})
INCLUSION_BODY = "inclusion-body-myositis"
AMYOPATHIC = "clinically-amyopathic-dermatomyositis"
OVERLAP = frozenset({"overlap-myositis", "juvenile-overlap-myositis"})
RASH = frozenset({"dermatomyositis", AMYOPATHIC, "juvenile-dermatomyositis", "juvenile-overlap-myositis"})
NECROTISING = "immune-mediated-necrotising-myopathy"

_SUBSETS = {
    "anti-mda5": "anti-mda5-dermatomyositis",
    "anti-tif1-gamma": "anti-tif1-gamma-dermatomyositis",
    "anti-nxp2": "anti-nxp2-dermatomyositis",
}
"""Of dermatomyositis; anti-TIF1-γ in adults alone (clinical/phenotypes.md section 2)."""

NORMAL_CK = 110.0
"""Creatine kinase of somebody in whom nothing is active, in U/L."""
_UNNOTICED_CK = 48.0
"""So much above it, a laboratory still calls it normal."""
_QUIET = 0.1

POINTS_LOST = {"mild": (8.0, 20.0), "moderate": (20.0, 36.0), "severe": (36.0, 64.0)}
"""Of the 150 of MMT8, by how severe weakness is; made up, as no source grades it by MMT8 (clinical/phenotypes.md section 3)."""
_HARDLY_WEAK = (0.0, 8.0)
"""Points lost where nobody calls it weakness."""


@dataclass(frozen=True, slots=True)
class Disease:
    """A myositis. Days are ordinals.

    Args:
        form: a table of `proportions.yaml` names it.
        recorded: concept of the diagnosis.
        onset, diagnosed: days; none lies after the last day of the chart.
        antibody: the one that there is.
        has_ro52: anti-Ro52 besides.
        lung: `chronic` or `rapid` interstitial lung disease, or empty.
        cancer: day on which it was found.
        signs: concepts of what else is on the problem list.
        overlap: concept of the connective tissue disease.
        is_controlled: the last treatment works.
        may_remit: the problem list will say remission, once the disease has been quiet for long enough.
        creatine_kinase: at diagnosis, in U/L.
        weakness: points of MMT8 lost at diagnosis, of 150.
        phenotype: what a reader who sees everything should make of it: a phenotype code of the service.
        rests_on_antibody: of the diagnosis alone, a reader would make something else.
    """

    form: str
    recorded: str
    onset: int
    diagnosed: int
    antibody: str | None
    has_ro52: bool
    lung: str
    cancer: int | None
    signs: tuple[str, ...]
    overlap: str | None
    is_controlled: bool
    may_remit: bool
    creatine_kinase: float
    weakness: float
    phenotype: str
    rests_on_antibody: bool

    @property
    def is_juvenile(self) -> bool:
        """It began before 18."""
        return self.form in JUVENILE

    @property
    def quiet_level(self) -> float:
        """Activity at which enzymes are normal again and strength is full, or nearly so."""
        return min(_QUIET, _UNNOTICED_CK / max(self.creatine_kinase - NORMAL_CK, 1.0))

    def creatine_kinase_at(self, level: float) -> float:
        """What is to be expected, in U/L.

        Args:
            level: of activity: 1 at diagnosis, 0 for not at all.
        """
        return NORMAL_CK + (self.creatine_kinase - NORMAL_CK) * level


@dataclass(frozen=True, slots=True)
class Onset:
    """When it began and was recognised, in years.

    Args:
        age: at the beginning.
        to_diagnosis: from then to the diagnosis.
        since: from the diagnosis to today.
    """

    age: float
    to_diagnosis: float
    since: float


class Diseases:
    """Makes up diseases.

    Args:
        proportions: how often what occurs.
    """

    def __init__(self, proportions: Proportions) -> None:
        """Tables become choices."""
        self._of = proportions.of
        self._by_antibody = {name: proportions.table(name) for name in ("lung_disease_by_antibody", "cancer_by_antibody")}
        self._lung, self._cancer = proportions.table("lung_disease"), proportions.table("cancer")
        forms = proportions.table("myositis")
        self._antibodies = {form: Choice(proportions.table(f"antibodies.{form}")) for form in forms}
        self._recorded = {form: Choice(proportions.table(f"recorded.{form}")) for form in forms}
        self._overlap = Choice(proportions.table("overlap_disease"))
        self._severities = Choice(proportions.table("severity"))

    @property
    def forms(self) -> frozenset[str]:
        """All that there are."""
        return frozenset(self._recorded)

    def onset(self, form: str, chance: Random) -> Onset:
        """When one began."""
        juvenile = form in JUVENILE
        low, high = (1.0, 17.5) if juvenile else (46.0, 85.0) if form == INCLUSION_BODY else (18.5, 85.0)
        middle, width = self._of(f"onset_years.{form}"), self._of(f"onset_spread.{form}")
        age = within(lambda: chance.gauss(middle, width), low, high)
        years = "years_to_diagnosis_of_inclusion_body_myositis" if form == INCLUSION_BODY else "years_to_diagnosis"
        latest = 17.9 - age if juvenile else 15.0
        to_diagnosis = within(lambda: spread(chance, self._of(f"course.{years}"), 0.6), 0.1, latest)
        usual, width = self._of("course.years_since_diagnosis"), self._of("course.years_since_diagnosis_spread")
        is_new = chance.random() < self._of("course.just_diagnosed")
        since = 0.2 * chance.random() if is_new else within(lambda: spread(chance, usual, width), 0.1, 40.0)
        return Onset(age, to_diagnosis, since)

    def make(self, form: str, onset: int, diagnosed: int, last_day: int, chance: Random) -> Disease:
        """A disease of a form.

        Args:
            form: a table of `proportions.yaml` names it.
            onset, diagnosed: days.
            last_day: nothing of it is found later.
            chance: decides.
        """
        drawn = self._antibodies[form].of(chance)
        antibody = None if drawn == "none" else drawn
        recorded = self._recorded[form].of(chance)
        ro52 = chance.random() < self._of(f"anti_ro52.{_ro52_group(antibody)}")
        lung = self._lung_disease(form, antibody, ro52, chance)
        phenotype = _phenotype(form, antibody)
        signs = tuple(self._signs(form, antibody, chance))
        is_controlled = form != INCLUSION_BODY and chance.random() < self._of("course.controlled")
        return Disease(
            form=form,
            recorded=recorded,
            onset=onset,
            diagnosed=diagnosed,
            antibody=antibody,
            has_ro52=ro52,
            lung=lung,
            cancer=self._found_cancer(form, antibody, onset, last_day, chance),
            signs=signs,
            overlap=self._overlap.of(chance) if form in OVERLAP else None,
            is_controlled=is_controlled,
            may_remit=is_controlled and chance.random() < self._of("course.in_remission"),
            creatine_kinase=self._creatine_kinase(form, chance),
            weakness=self._weakness(form, signs, chance),
            phenotype=phenotype,
            rests_on_antibody=_rests_on_antibody(form, recorded, phenotype),
        )

    def _lung_disease(self, form: str, antibody: str | None, ro52: bool, chance: Random) -> str:
        share = self._by_antibody["lung_disease_by_antibody"].get(antibody or "", self._lung[form])
        if form in JUVENILE:
            share = self._lung[form]
        if chance.random() >= share:
            return ""
        rapid = self._of(f"rapidly_progressive.{'with' if ro52 else 'without'}_ro52") if antibody == "anti-mda5" else 0
        return "rapid" if chance.random() < rapid else "chronic"

    def _found_cancer(self, form: str, antibody: str | None, onset: int, last_day: int, chance: Random) -> int | None:
        share = self._cancer[form]
        if form not in JUVENILE:
            share = self._by_antibody["cancer_by_antibody"].get(antibody or "", share)
        if chance.random() >= share:
            return None
        # Within three years of the beginning, as cancer-associated myositis is defined (clinical/phenotypes.md section 2).
        return onset + int(chance.uniform(-1000, min(1000, last_day - onset)))

    def _signs(self, form: str, antibody: str | None, chance: Random) -> list[str]:
        of = self._of
        dysphagia, arthritis = "dysphagia.myositis", "arthritis.myositis"
        shares: dict[str, float] = {
            "dysphagia": of(f"dysphagia.{form}" if form == INCLUSION_BODY else dysphagia),
            "arthritis": of(f"arthritis.{form}" if form == "antisynthetase-syndrome" else arthritis),
            "raynaud": of("signs.raynaud"),
            "fever": of("signs.fever"),
        }
        if form != AMYOPATHIC:
            shares["proximal_muscle_weakness"] = of("signs.proximal_muscle_weakness")
        if form in RASH:
            shares["heliotrope_rash"] = of("signs.heliotrope_rash")
            shares["gottron_papules"] = of("signs.gottron_papules")
            shares["calcinosis"] = of("signs.calcinosis_in_children" if form in JUVENILE else "signs.calcinosis")
        if antibody in ANTISYNTHETASE:
            shares["mechanics_hands"] = of("signs.mechanics_hands_in_antisynthetase_syndrome")
        return [sign for sign, share in shares.items() if chance.random() < share]

    def _creatine_kinase(self, form: str, chance: Random) -> float:
        if form == AMYOPATHIC:
            return chance.uniform(40, 180)
        middle, width = self._of("course.creatine_kinase_at_diagnosis"), self._of("course.creatine_kinase_spread")
        if form == NECROTISING:
            return max(spread(chance, middle * self._of("course.times_higher_in_necrotising_myopathy"), 0.5), 1000)
        # Inclusion body myositis: at most 15 times the limit (clinical/phenotypes.md section 2.3).
        return min(spread(chance, middle, width), 2800 if form == INCLUSION_BODY else 20_000)

    def _weakness(self, form: str, signs: tuple[str, ...], chance: Random) -> float:
        if form == AMYOPATHIC:
            return 0.0
        is_weak = "proximal_muscle_weakness" in signs
        return chance.uniform(*(POINTS_LOST[self._severities.of(chance)] if is_weak else _HARDLY_WEAK))


def _ro52_group(antibody: str | None) -> str:
    return "antisynthetase" if antibody in ANTISYNTHETASE else "anti-mda5" if antibody == "anti-mda5" else "others"


def _phenotype(form: str, antibody: str | None) -> str:
    if form in OVERLAP:
        return "overlap-myositis"
    if form in RASH and antibody in _SUBSETS and not (form in JUVENILE and antibody == "anti-tif1-gamma"):
        return _SUBSETS[antibody]
    return form


def _rests_on_antibody(form: str, recorded: str, phenotype: str) -> bool:
    if form == "antisynthetase-syndrome":
        return recorded != "antisynthetase_syndrome"
    return form not in OVERLAP and phenotype != form
