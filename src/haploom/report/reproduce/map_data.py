"""Whom Table 3 and the figures of maps are made of: simulated people, simulated dogs, or a file of genotypes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from haploom.errors import HaploomError
from haploom.io import Selection, label_level, read_dosages, read_panel
from haploom.panel import DosagePanel, Panel, Split, split_people
from haploom.popgen.breeds import CLADE_LEVEL, simulate_dogs
from haploom.popgen.coalescent import LEVEL, simulate_panel
from haploom.report.reproduce.catalogue import Request

PARTS = (0.7, 0.1, 0.2)
MAF = 0.01  # among the training people
LONGITUDE, LATITUDE = "longitude", "latitude"  # columns of the table of populations that are coordinates, not labels
_EVERYONE = "everyone"


@dataclass(frozen=True, kw_only=True)
class MapSizes:
    """How large a reproduction is. people: simulated, of each population; epochs: None for the profile's own.

    splits: of people, each with models of its own. distance_rows: at most so many rows are compared with each other.
    """

    name: str
    people: int
    sites: int
    dog_sites: int
    splits: int
    epochs: int | None
    distance_rows: int


SIZES = {
    "quick": MapSizes(name="quick", people=30, sites=1000, dog_sites=1500, splits=1, epochs=80, distance_rows=300),
    "standard": MapSizes(
        name="standard", people=100, sites=10_000, dog_sites=10_000, splits=3, epochs=None, distance_rows=1500
    ),
    "full": MapSizes(
        name="full", people=350, sites=50_000, dog_sites=50_000, splits=5, epochs=None, distance_rows=3000
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Genotyped:
    """People or dogs with labels. name: where they come from, in words.

    levels: of labels, those that are scored; the split is within those of the first one. ground: longitude and
    latitude, float64 (n_people,) each, in degrees, where known.
    """

    name: str
    genotypes: Panel | DosagePanel
    levels: tuple[str, ...]
    ground: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def heading(self) -> str:
        """The name atop a section: words begin with a capital, a file's name stays as it is."""
        words = self.name.startswith("simulated ")
        return self.name[0].upper() + self.name[1:] if words else self.name

    @property
    def rows_per_person(self) -> int:
        return 2 if isinstance(self.genotypes, Panel) else 1

    def labels(self, level: str, samples: tuple[str, ...]) -> np.ndarray:
        """Of the rows of these people."""
        labels = dict(zip(self.genotypes.samples, self.genotypes.labels(level).tolist()))
        return np.repeat(np.array([labels[sample] for sample in samples]), self.rows_per_person)

    def coordinates(self, samples: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray] | None:
        """Longitude and latitude of the rows of these people; None where they are not known."""
        if self.ground is None:
            return None
        place = {sample: i for i, sample in enumerate(self.genotypes.samples)}
        chosen = np.repeat([place[sample] for sample in samples], self.rows_per_person)
        return self.ground[0][chosen], self.ground[1][chosen]


@dataclass(frozen=True, eq=False)
class Parts:
    """Genotypes cut in parts, at sites above MAF among the training people, without any label.

    everyone: those of all parts; split: who is in which.
    """

    everyone: Panel | DosagePanel
    split: Split
    level: str = _EVERYONE  # the same label for all, so that no method can learn any

    def part(self, name: str) -> Panel | DosagePanel:
        return self.everyone.select_samples(self.split.samples(name, self.everyone.samples))


def parts_of(data: Genotyped, seed: int) -> Parts:
    """Split by person, within the labels of the first level. Raises HaploomError where no site is common enough."""
    genotypes = data.genotypes
    strata = genotypes.labels(data.levels[0]).tolist() if data.levels else [_EVERYONE] * genotypes.n_samples
    split = split_people(genotypes.samples, strata, PARTS, seed=seed)
    training = genotypes.select_samples(split.samples("train", genotypes.samples))
    frequency = alternate_frequencies(training)
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) > MAF)
    if len(common) < 2:
        raise HaploomError(f"{data.name}: {len(common)} sites are above {MAF:.0%} among the training people: give more")
    unlabelled = genotypes.with_populations({_EVERYONE: np.full(genotypes.n_samples, _EVERYONE)})
    return Parts(unlabelled.select_sites(common), split)


def alternate_frequencies(genotypes: Panel | DosagePanel) -> np.ndarray:
    """Among the calls that are there: float64 (n_sites,)."""
    if isinstance(genotypes, Panel):
        return genotypes.allele_counts() / genotypes.n_haplotypes
    return genotypes.alternate_frequencies()


def data_sets(wanted: Request, sizes: MapSizes) -> Iterator[Genotyped]:
    """The file that was given; or simulated people, then simulated dogs."""
    if wanted.genotypes is not None:
        yield given(wanted)
        return
    yield simulated_people(sizes.people, sizes.sites, wanted.seed)
    yield simulated_dogs(sizes.dog_sites, wanted.seed)


def simulated_people(people: int, sites: int, seed: int) -> Genotyped:
    """Haplotypes of the seven-population panel."""
    return Genotyped("simulated people", simulate_panel(people=people, sites=sites, seed=seed), (LEVEL,))


def simulated_dogs(sites: int, seed: int) -> Genotyped:
    """Unphased dogs, scored by clade as in the paper."""
    return Genotyped("simulated dogs", simulate_dogs(sites=sites, seed=seed), (CLADE_LEVEL,))


def given(wanted: Request) -> Genotyped:
    """The file of a request: haplotypes where it is phased, else dosages.

    Columns `longitude` and `latitude` of its table, in degrees, are coordinates; with --label, or one more column,
    there are labels. Raises HaploomError for coordinates that are not numbers.
    """
    assert wanted.genotypes is not None
    # The label is chosen below: a table of coordinates alone has none.
    selection = Selection(populations=wanted.populations)
    name = wanted.genotypes.name
    genotypes: Panel | DosagePanel
    try:
        genotypes = read_panel(wanted.genotypes, selection)
    except HaploomError:  # unphased, or with missing calls; what else is wrong is wrong of dosages too
        genotypes = read_dosages(wanted.genotypes, selection)
    columns = genotypes.populations
    ground = None
    if LONGITUDE in columns and LATITUDE in columns:
        ground = (_degrees(columns, LONGITUDE, 180, name), _degrees(columns, LATITUDE, 90, name))
    others = [column for column in columns if column not in (LONGITUDE, LATITUDE)]
    levels = (label_level(others, wanted.label, name),) if others else ()
    return Genotyped(name, genotypes, levels, ground)


def thinned(data: Genotyped, sites: np.ndarray | slice, how: str) -> Genotyped:
    """The same people at some of the sites."""
    return replace(data, name=f"{data.name}, {how}", genotypes=data.genotypes.select_sites(sites))


def _degrees(columns: Mapping[str, np.ndarray], column: str, most: float, name: str) -> np.ndarray:
    try:
        degrees = np.array([float(text) for text in columns[column].tolist()])
    except ValueError as error:
        raise HaploomError(f"{name}: column {column!r} is not all numbers ({error}): give decimal degrees") from error
    if not (np.abs(degrees) <= most).all():
        raise HaploomError(f"{name}: column {column!r} leaves -{most:g} to {most:g}: give decimal degrees")
    return degrees
