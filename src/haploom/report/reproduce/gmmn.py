"""The comparison with a generative moment matching network: the same haplotypes, made up by it and by the C-VAE."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.io.model_file import read_model, write_model
from haploom.panel import Panel
from haploom.popgen.linkage import distance_scales, ld_decay
from haploom.popgen.pca import PCA
from haploom.popgen.populations import population_rows
from haploom.popgen.site_bits import SiteBits
from haploom.report import figures, plots
from haploom.report.page import Column, Table
from haploom.report.reproduce.catalogue import Request, Size
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.pages import write_page
from haploom.report.reproduce.people import PROTOCOLS, People, Protocol, bred_people, founders_of
from haploom.report.reproduce.rows import Row, RowFile
from haploom.synthesis import Latents, synthesize_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {"gmmn": "GMMN", "cvae": "C-VAE"}
_HELD_OUT = "held-out founders"
_NEAREST_OF = 300  # haplotypes whose nearest training haplotype is looked for
# The paper: 5,000 SNPs of 10,000 bred samples. A sample here is a haplotype.
SIZES: dict[Size, Protocol] = {
    "quick": replace(PROTOCOLS["quick"], sites=400, train_haplotypes=1400, test_haplotypes=140, epochs=15),
    "standard": replace(PROTOCOLS["standard"], sites=5000, train_haplotypes=10_000, test_haplotypes=140, epochs=10),
    "full": replace(PROTOCOLS["full"], sites=5000, train_haplotypes=10_000, test_haplotypes=140, epochs=100),
}


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Train both, measure, write the page."""
    size = SIZES[request.size]
    founders = founders_of(
        request.genotypes, request.populations, request.label, size, request.seed, size.sites
    )  # fmt: skip
    people = bred_people(*founders, size, request.seed)
    settings = {"protocol": vars(size), "seed": request.seed, "label": request.label, "founders": request.origin}
    file = RowFile(folder / "rows-gmmn.jsonl", settings)
    test = people.tests["unrelated"]
    for kind in _NAMES:
        path = folder / f"gmmn-{kind}.model"
        if not path.exists():
            file.rows.pop(f"trained {kind}", None)
        file.measured(f"trained {kind}", partial(_trained, kind, people, request, path))
    made = {_HELD_OUT: test}
    made |= {name: _made(folder / f"gmmn-{kind}.model", people, request) for kind, name in _NAMES.items()}
    rows = [file.measured(name, partial(_row, name, panel, people))[0] for name, panel in made.items()]
    return _written(request, folder, people, made, rows)


def _trained(kind: str, people: People, request: Request, path: Path) -> list[Row]:
    from haploom.training.fit import train_model  # loads torch
    from haploom.training.profiles import profile_of

    size = SIZES[request.size]
    config = replace(profile_of(kind, "sound").training, epochs=size.epochs, least_steps=0, seed=request.seed)
    trained = train_model(people.train, people.split, people.level, kind=kind, config=config)
    write_model(trained.model, path, force=True)
    seconds = sum(each.seconds for each in trained.history)
    return [{"kind": kind, "epochs_run": len(trained.history), "seconds": seconds}]


def _made(path: Path, people: People, request: Request) -> Panel:
    """As many people of each population as are held out."""
    model, labels = read_model(path), people.populations()
    latents: Latents | None = "prior" if model.card.kind == "cvae" else None  # as the paper draws them
    n_people = people.tests["unrelated"].n_samples // len(labels)
    return synthesize_panel(model, labels, n_people, request.seed, latents=latents)


def _row(name: str, panel: Panel, people: People) -> list[Row]:
    """How like the held-out founders a panel is, populations apart and averaged; of those, against training ones."""
    train, test = people.training_rows, people.tests["unrelated"]
    against = train if name == _HELD_OUT else test
    of, wanted = population_rows(panel, people.level), population_rows(against, people.level)
    scale = {"sites": distance_scales(panel.variants)["sites"]}
    figures_of = []
    for label in people.populations():
        here, there = SiteBits.of(panel, of[label]), SiteBits.of(against, wanted[label])
        p, q = here.ones / here.n_haplotypes, there.ones / there.n_haplotypes
        decay = [ld_decay(sites, scale)["sites"].mean_r2 for sites in (here, there)]
        figures_of.append(
            [
                np.corrcoef(p, q)[0, 1] if p.std() > 0 else 0.0,
                _mean_known(np.abs(decay[0] - decay[1])),
                (p * (1 - p)).sum() / (q * (1 - q)).sum(),
                1 - ((p > 0) & (p < 1) & (q > 0) & (q < 1)).sum() / ((q > 0) & (q < 1)).sum(),
                _nearest(panel, of[label], train),
            ]
        )
    keys = ("frequency_r", "ld_error", "diversity", "lost_sites", "nearest_training")
    return [{"people": name, **dict(zip(keys, map(_mean_known, np.transpose(figures_of))))}]


def _mean_known(values: np.ndarray) -> float:
    """Mean of what is not NaN; NaN where nothing is: no pair of sites there varies enough in both."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _nearest(panel: Panel, rows: np.ndarray, train: Panel) -> float:
    """Mean share of sites at which a haplotype differs from the nearest training haplotype."""
    x = panel.alleles(rows[: _NEAREST_OF // 7 + 1]).astype(np.float32)
    least = np.full(len(x), np.inf)
    for _, block in train.blocks():
        y = block.astype(np.float32)
        least = np.minimum(least, (x.sum(axis=1)[:, None] + y.sum(axis=1) - 2 * x @ y.T).min(axis=1))
    return float(least.mean()) / panel.n_sites


def _written(
    request: Request, folder: Path, people: People, made: dict[str, Panel], rows: list[Row]
) -> list[Path]:  # fmt: skip
    size = SIZES[request.size]
    columns = [Column("people"), *(Column(text, ".3f") for text in (
        "frequency r", "LD error", "diversity", "sites that vary no more", "to nearest training"))]  # fmt: skip
    by_name = {row["people"]: row for row in rows}
    gmmn, cvae = by_name["GMMN"], by_name["C-VAE"]
    claims = [
        Claim(
            paper="the VAE puts a GMMN in context (no figures in the article)",
            ours=f"LD error: C-VAE {cvae['ld_error']:.3f}, GMMN {gmmn['ld_error']:.3f}; "
            f"frequency r: {cvae['frequency_r']:.3f}, {gmmn['frequency_r']:.3f}",
            agrees=cvae["ld_error"] < gmmn["ld_error"], why="the GMMN's linkage is nearer",
        )
    ]  # fmt: skip
    scaled = "" if request.size == "full" else "The paper's are 5,000 SNPs of 10,000 samples, trained for longer. "
    about = (
        f"Both learned from {people.training_rows.n_haplotypes:,} haplotypes at {people.train.n_sites:,} sites, bred "
        f"from {request.origin} founders (sound settings, at most {size.epochs} epochs). {scaled}They are compared "
        "with founders that had no part in it, as many of each population, who stand beside as compared with the "
        "training people. Frequencies, LD (mean absolute difference of mean r² by distance in sites) and diversity "
        "(differences between two haplotypes, over those of the held-out) are of populations apart, averaged. "
        "The C-VAE's latents are drawn from the prior, as in the paper."
    )
    pca = PCA(2).fit(people.tests["unrelated"])
    drawings: dict[str, figures.Draw] = {
        f"Principal components of the held-out founders, {name}.": _draw_map(people, pca, panel)
        for name, panel in made.items()
    }
    table = Table(columns, [list(row.values()) for row in rows])
    return write_page(request, folder, about, [table], drawings, claims)


def _draw_map(people: People, pca: PCA, panel: Panel) -> figures.Draw:
    labels = panel.labels(people.level, per="haplotype")
    z = pca.transform(panel)

    def draw(ax: "Axes") -> None:
        plots.latent_map(ax, z, labels, order=people.populations(), axis_names=("PC1", "PC2"))

    return draw
