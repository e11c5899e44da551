"""Figures 4 and S3 to S5: people, and dogs, placed by principal components and by the VAE; regions looked at closely.

Every figure is there as SVG, as PNG, on the page, and for people as a map to explore (`report.map_page`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from haploom import progress
from haploom.baselines.accuracy import Interval, accuracy, paired_gain
from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.panel import Panel
from haploom.popgen.coalescent import LEVEL, PART_LEVEL, simulate_panel
from haploom.popgen.differentiation import fst_matrix, population_counts
from haploom.popgen.map_scores import map_distances, neighbour_labels
from haploom.report import plots
from haploom.report.figures import png, svg
from haploom.report.map_page import label_order, save_map_page
from haploom.report.page import Column, Figure, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.map_data import SIZES, Genotyped, MapSizes, given, parts_of, simulated_dogs
from haploom.report.reproduce.map_methods import PLAIN, VAE, VAE_SETTINGS, VAE_SHAPE, by_components, by_vae
from haploom.report.reproduce.map_rows import NEIGHBOURS, slug
from haploom.report.reproduce.pages import write_result
from haploom.report.reproduce.rows import Row, RowFile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = {PLAIN: by_components, VAE: by_vae}  # who makes each map
SUBPOPULATIONS = 3  # of each population, where they are simulated
CLOSELY = ("AFR", "AMR")  # the regions of Fig. 4B
_SIZE_IN = (4.8, 5.2)  # two stand side by side
_ALIKE = 0.5  # rank correlation from which distances on a map go with genetic ones

_WORDS = """\
Two coordinates a row, by methods that see no label: the first two principal components, and the means of a VAE of two
latents. Points with an outline are people held out: they were placed on a map made of the others. k-NN accuracy: how
often most of the 20 nearest training rows of the region name a held-out row's subpopulation; chance: the largest
subpopulation's share.

{link} holds the same points to explore: names, labels, search, lasso, regions. It works offline."""


class Region(NamedTuple):
    """k-NN accuracy of one region's subpopulations. rows, people: held-out ones. by: method -> accuracy, from 0 to 1.

    gain: the VAE's accuracy minus PCA's, over the same people. chance: the largest subpopulation's share of the rows.
    """

    name: str
    rows: int
    people: int
    by: dict[str, Interval]
    gain: Interval
    chance: float


@dataclass(frozen=True, eq=False)
class Mapped:
    """A data set's maps. maps: method -> where it places training and held-out people.

    levels: the labels, and those within them where there are any. populations: level -> strings (n_samples,).
    """

    data: Genotyped
    maps: dict[str, Embedding]
    levels: tuple[str, ...]
    populations: Mapping[str, np.ndarray]

    def labels(self, level: str) -> np.ndarray:
        """Of rows."""
        return np.repeat(np.array(self.populations[level].tolist()), self.data.rows_per_person)

    def held_out(self) -> np.ndarray:
        """Which rows, bool."""
        return np.repeat(np.array(self.maps[PLAIN].parts) != "train", self.data.rows_per_person)

    def regions(self) -> list[str]:
        """Labels of the first level that hold more than one of the second, sorted."""
        if len(self.levels) < 2:
            return []
        pairs = set(zip(self.populations[self.levels[0]].tolist(), self.populations[self.levels[1]].tolist()))
        regions = [region for region, _ in pairs]
        return sorted({region for region in regions if regions.count(region) > 1})


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Place everybody, draw, and write NAME.txt, .html, pictures and the map.

    The four figures share their maps: a folder that has one has most of another. Raises HaploomError where there are
    no subpopulations of the regions that a figure is of.
    """
    sizes = SIZES[request.size]
    settings = {
        "result": "maps of fig4", "sizes": asdict(sizes), "seed": request.seed, "label": request.label,
        "genotypes": request.origin, "vae": VAE_SETTINGS | VAE_SHAPE,
    }  # fmt: skip
    file = RowFile(folder / "rows-fig4.jsonl", settings)
    people = mapped(_people(request, sizes), sizes, request.seed, file)
    regions = _regions(request, people)
    drawing = _Drawing(request.name, folder)
    sections, told_apart = [], [_told_apart(people, region) for region in regions]
    if request.name == "fig4":
        sections.append(Section("People (A)", figures=drawing.maps("people", people, people.levels[0])))
        if request.genotypes is None:
            dogs = mapped(simulated_dogs(sizes.dog_sites, request.seed), sizes, request.seed, file)
            text = "Simulated dogs, 16 clades of 9 breeds, stand in for the paper's."
            sections.append(Section("Dogs (A)", text, drawing.maps("dogs", dogs, dogs.levels[0])))
    for region in regions:
        figures = drawing.maps(region, people, people.levels[1], region)
        sections.append(Section(f"{region}, by {people.levels[1]}", figures=figures))
    tables = [_region_table(told_apart, people)] if told_apart else []
    sections.append(Section("Subpopulations told apart", tables=tables))
    page_map = folder / f"{request.name}-map.html"
    _save_map(request, people, regions, page_map)
    claims = _claims(request, people, told_apart)
    ours = "" if request.name == "fig4" else " Which regions stand in which of Figures S3 to S5 is chosen here."
    text = f"{_WORDS.format(link=page_map.name)}\n\nPeople: {people.data.name}.{ours}"
    shown = [section for section in sections if section.figures or section.tables]
    return [*write_result(request, folder, shown, claims, text), page_map, *drawing.written]


def mapped(data: Genotyped, sizes: MapSizes, seed: int, file: RowFile) -> Mapped:
    """Place training and held-out people by each method, or take an earlier run's places from the file."""
    maps = {}
    with progress.task(f"Mapping {data.name}", len(SHOWN)) as advance:
        for method in SHOWN:
            rows = file.measured(f"{data.name} {method}", partial(_placed, data, method, sizes, seed))
            samples = tuple(sample for row in rows for sample in row["samples"])
            parts = tuple(row["part"] for row in rows for _ in row["samples"])
            z = np.concatenate([np.array(row["z"], dtype=np.float32) for row in rows])
            maps[method] = Embedding(samples, parts, z, 2 // data.rows_per_person)
            advance()
    chosen = data.genotypes.select_samples(maps[PLAIN].samples)
    return Mapped(data, maps, data.levels, chosen.populations)


def _placed(data: Genotyped, method: str, sizes: MapSizes, seed: int) -> list[Row]:
    parts = parts_of(replace(data, levels=data.levels[::-1]), seed)  # split within the finest labels
    placed = SHOWN[method](parts, sizes, seed)[method]
    return [
        {"part": part, "samples": list(parts.part(part).samples), "z": z.tolist()}
        for part, z in zip(("train", "test"), placed)
    ]


def _people(request: Request, sizes: MapSizes) -> Genotyped:
    """Those of the file with its labels and the labels within them; or simulated ones."""
    if request.genotypes is None:
        panel = simulate_panel(people=sizes.people, sites=sizes.sites, subpopulations=SUBPOPULATIONS, seed=request.seed)
        return Genotyped(f"simulated, {SUBPOPULATIONS} subpopulations of each population", panel, (LEVEL, PART_LEVEL))
    data = given(request)
    if not data.levels:
        raise HaploomError(f"{request.origin} has no labels to colour a map by: give a table with --populations")
    finer = finer_level(data.genotypes.populations, data.levels[0])
    return Genotyped(data.name, data.genotypes, (*data.levels, *([finer] if finer else [])), data.ground)


def finer_level(populations: Mapping[str, np.ndarray], level: str) -> str | None:
    """The column of fewest labels, more than `level` has, each of which has one label of `level` only; or None."""
    coarse = populations[level].tolist()
    within = {}
    for name, labels in populations.items():
        pairs = set(zip(labels.tolist(), coarse))
        n_labels = len(set(labels.tolist()))
        if len(set(coarse)) < n_labels == len(pairs) < len(coarse):
            within[name] = n_labels
    return min(within, key=lambda name: within[name], default=None)


def _regions(request: Request, people: Mapped) -> list[str]:
    """Whom a figure looks at closely: S3 AFR, S4 AMR, S5 all others, Fig. 4 the first two where they are there."""
    there = people.regions()
    if request.name == "fig4":
        return [region for region in CLOSELY if region in there] or there[:2]
    wanted = {"fig-s3": CLOSELY[:1], "fig-s4": CLOSELY[1:], "fig-s5": [name for name in there if name not in CLOSELY]}
    regions = [region for region in wanted[request.name] if region in there]
    if not regions:
        raise HaploomError(
            f"{request.name} shows parts of {' and '.join(wanted[request.name]) or 'others than AFR and AMR'}: "
            f"{people.data.name} has those of {', '.join(there) or 'none'}; give a table with two columns of labels"
        )
    return regions


class _Drawing:
    """Pictures of a figure, as SVG and PNG files in the folder. written: their paths."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.written: list[Path] = []

    def maps(self, whom: str, mapped: Mapped, level: str, region: str | None = None) -> list[Figure]:
        """A map of each method, or of those of one region. whom: in names of files."""
        labels = mapped.labels(level)
        order = label_order(labels.tolist(), [mapped.labels(other).tolist() for other in mapped.levels])
        here = np.ones(len(labels), dtype=bool)
        if region is not None:
            here = mapped.labels(mapped.levels[0]) == region
            order = [label for label in order if label in set(labels[here].tolist())]
        figures = []
        for method, embedding in mapped.maps.items():
            held_out = mapped.held_out()[here]
            draw = partial(_draw, z=embedding.z[here], labels=labels[here], order=order, held_out=held_out)
            picture = svg(draw, _SIZE_IN)
            for suffix, drawn in (("svg", picture), ("png", png(draw, _SIZE_IN))):
                self.written.append(self.folder / f"{self.name}-{slug(whom)}-{slug(method)}.{suffix}")
                self.written[-1].write_bytes(drawn)
            caption = f"{method}: {region or mapped.data.name}, {here.sum():,} rows."
            figures.append(Figure(picture, caption, f"Map by {caption}"))
        return figures


def _draw(ax: "Axes", z: np.ndarray, labels: np.ndarray, order: Sequence[str], held_out: np.ndarray) -> None:
    names = ("first coordinate", "second coordinate")
    plots.latent_map(ax, z, labels, order=order, held_out=held_out, axis_names=names, legend_below=True)


def _told_apart(people: Mapped, region: str) -> Region:
    """How well each method's map tells the subpopulations of one region apart; intervals are over people."""
    coarse, fine = (people.labels(level) for level in people.levels[:2])
    train, test = (coarse == region) & ~people.held_out(), (coarse == region) & people.held_out()
    k = min(NEIGHBOURS, int(train.sum()))
    said = {method: neighbour_labels(at.z[train], fine[train], at.z[test], k) for method, at in people.maps.items()}
    person = np.flatnonzero(test) // people.data.rows_per_person
    by = {method: accuracy(fine[test], labels, person).plain for method, labels in said.items()}
    gain = paired_gain(fine[test], said[VAE], said[PLAIN], person)
    _, counts = np.unique(fine[test], return_counts=True)
    return Region(region, len(person), len(set(person.tolist())), by, gain, float(counts.max() / counts.sum()))


def _region_table(regions: Sequence[Region], people: Mapped) -> Table:
    columns = [
        Column("region"), Column("held-out people", ","), *(Column(name, ".2f") for name in SHOWN),
        Column("VAE minus PCA", "+.2f"), Column("chance", ".2f"),
    ]  # fmt: skip
    cells = [[row.name, row.people, *(row.by[name] for name in SHOWN), row.gain, row.chance] for row in regions]
    return Table(
        columns, cells, f"k-NN accuracy of {people.levels[1]} within a region, held-out people, 95 % intervals"
    )


def _save_map(request: Request, people: Mapped, regions: Sequence[str], path: Path) -> None:
    """Everybody for Fig. 4, else those of the regions only."""
    maps, populations, level = people.maps, dict(people.populations), people.levels[0]
    if request.name != "fig4":
        chosen = np.isin(populations[level].tolist(), regions)
        rows = np.repeat(chosen, people.data.rows_per_person)
        samples = [name for name, here in zip(maps[PLAIN].samples, chosen) if here]
        parts = [name for name, here in zip(maps[PLAIN].parts, chosen) if here]
        maps = {
            method: Embedding(tuple(samples), tuple(parts), embedding.z[rows], embedding.ploidy)
            for method, embedding in maps.items()
        }
        populations = {name: labels[chosen] for name, labels in populations.items()}
        level = people.levels[1]
    save_map_page(maps, populations, level, path, True, title=request.title)


def _claims(request: Request, people: Mapped, told_apart: Sequence[Region]) -> list[Claim]:
    claims = []
    if request.name == "fig4":
        claims.append(_vicinity(people))
    for row in told_apart:
        closely = f"the VAE tells subpopulations of {row.name} apart that two principal components do not"
        generally = f"the VAE tells subpopulations apart better than two principal components (here: {row.name})"
        claims.append(
            Claim(
                paper=closely if row.name in CLOSELY else generally,
                ours=f"k-NN accuracy {row.by[VAE].value:.2f} by the VAE, {row.by[PLAIN].value:.2f} by PCA, "
                f"{row.chance:.2f} by chance; gain {row.gain:+.2f}",
                agrees=row.gain.low > 0,
                why="PCA tells them apart better" if row.gain.high < 0 else "the interval of the gain holds 0",
            )
        )  # fmt: skip
    if request.name == "fig4":
        claims.append(
            Claim(
                paper="on the canine map, the Asian Spitz clade lies nearest the wolves",
                why="simulated dogs have no such clade, and no wolves are among them",
            )
        )
    return claims


def _vicinity(people: Mapped) -> Claim:
    """Whether distances between labels on the VAE's map go with Fst: rank correlation over pairs."""
    paper = "the VAE's clusters preserve the vicinity of neighbouring populations"
    panel, level = people.data.genotypes, people.levels[0]
    if not isinstance(panel, Panel) or len(set(panel.labels(level).tolist())) < 4:
        return Claim(paper=paper, why="needs phased people of four labels or more")
    counts = population_counts(panel, level)
    pairs = np.triu_indices(len(counts.labels), 1)
    fst, labels = fst_matrix(counts)[pairs], people.labels(level)
    found = {}
    for method, embedding in people.maps.items():
        centres = np.stack([embedding.z[labels == label].mean(axis=0) for label in counts.labels])
        found[method] = _rank_correlation(map_distances(centres)[pairs], fst)
    ours = ", ".join(f"{value:.2f} by {method}" for method, value in found.items())
    return Claim(
        paper=paper,
        ours=f"rank correlation of distances between labels with Fst: {ours}; above {_ALIKE} is taken as preserved",
        agrees=found[VAE] > _ALIKE, why="distances on the map do not go with genetic ones",
    )  # fmt: skip


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, of values without ties."""
    centred = [np.argsort(np.argsort(values)) - (len(values) - 1) / 2 for values in (first, second)]
    return float(centred[0] @ centred[1] / (centred[0] @ centred[0]))
