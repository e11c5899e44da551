"""Figures 1 and 3: how much founders vary, by population and by the width of a window."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from haploom.io import Selection, label_level, read_panel
from haploom.panel import Panel
from haploom.popgen.coalescent import simulate_panel
from haploom.popgen.haplotype_windows import PAPER_WIDTHS
from haploom.report import plots, plots_statistics
from haploom.report.entropy_report import EntropySettings, PopulationVariation, measure_variation
from haploom.report.page import Column, Table
from haploom.report.reproduce.catalogue import Request, Size
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.pages import write_page

# (people of each population, sites) that are simulated; the paper has 317,408 sites of chromosome 22.
_SIMULATED: dict[Size, tuple[int, int]] = {"quick": (40, 6000), "standard": (100, 100_000), "full": (100, 317_408)}
# Mean entropy of a site, bits, read off the paper's Figure 1B.
PAPER_BITS = {"AFR": 0.26, "WAS": 0.21, "SAS": 0.20, "EUR": 0.195, "EAS": 0.18, "AMR": 0.155, "OCE": 0.15}
_PAPER_WINDOW = 2500


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Measure and write the page."""
    panel, level = _founders(request)
    found = measure_variation(panel, level, EntropySettings(seed=request.seed))
    text = f"{panel.n_haplotypes:,} haplotypes of {request.origin} founders at {panel.n_sites:,} sites."
    return (_entropies if request.name == "fig1" else _windows)(request, folder, text, found)


def _founders(request: Request) -> tuple[Panel, str]:
    if request.genotypes is not None:
        panel = read_panel(request.genotypes, Selection(populations=request.populations, label=request.label))
        return panel, label_level(panel.populations, request.label, str(request.genotypes))
    people, sites = _SIMULATED[request.size]
    return simulate_panel(people=people, sites=sites, seed=request.seed), "population"


def _entropies(request: Request, folder: Path, text: str, found: PopulationVariation) -> list[Path]:
    order = found.ranking
    rows = [[label, *found.mean[label], PAPER_BITS.get(label)] for label in order]
    columns = [Column("population"), *(Column(name, ".4f") for name in ("bits a site", "low", "high", "paper"))]
    drawn = sorted(order)  # so that a population has one colour on all pages
    mean, low, high = np.array([found.mean[label] for label in drawn]).T
    n_haplotypes = dict(zip(found.counts.labels, found.counts.n_haplotypes.tolist()))
    shared = [label for label in order if label in PAPER_BITS]
    wanted = [label for label in PAPER_BITS if label in shared]
    in_chance = [
        f"{more} and {less}"
        for more, less, difference in found.differences()
        if more in PAPER_BITS and less in PAPER_BITS and PAPER_BITS[more] < PAPER_BITS[less] and difference.low <= 0
    ]
    claims = [
        Claim(
            paper=" > ".join(wanted), ours=" > ".join(shared), agrees=wanted == shared,
            why=f"within chance of this stretch of genome: {', '.join(in_chance)}" if in_chance else "",
        ),
        Claim(paper="AFR varies most", ours=f"{shared[0]} varies most", agrees=shared[0] == "AFR"),
    ] if len(shared) > 1 else [Claim(paper="populations in order", why="the labels are others")]  # fmt: skip
    drawings = {
        "Mean entropy of a site, with 95 % intervals (the paper's B).": lambda ax: plots.entropy_by_population(
            ax, drawn, mean, low, high, [n_haplotypes[label] for label in drawn]
        ),
        "How the entropies of sites are spread (the paper's A).": lambda ax: plots_statistics.entropy_density(
            ax, {label: found.entropy[label] for label in drawn}
        ),
    }  # fmt: skip
    about = (
        f"{text} Entropy from 32 haplotypes drawn 50 times, as in the paper; intervals are over stretches of genome. "
        "The paper's figures are read off its plot: its sites are others, so compare the order."
    )
    return write_page(request, folder, about, [Table(columns, rows, "Mean entropy of a site")], drawings, claims)


def _windows(request: Request, folder: Path, text: str, found: PopulationVariation) -> list[Path]:
    by_label = {**{label: found.windows[label] for label in found.ranking}, "all together": found.everybody}
    bits = {label: [each.mean_of_full(each.entropy_bits) for each in of.values()] for label, of in by_label.items()}
    widths = list(found.everybody)
    columns = [Column("population"), *(Column(f"{width:,}", ".3f") for width in widths)]
    table = Table(columns, [[label, *values] for label, values in bits.items()], "Mean entropy of a window, bits")
    everybody, chosen = bits.pop("all together"), found.chosen_window
    too_few = len(widths) < len(PAPER_WIDTHS)
    rising = all(after >= before for before, after in pairwise(everybody))
    claims = [
        Claim(
            paper="wider windows hold more entropy, ever less per site",
            ours=f"{everybody[0]:.2f} bits at {widths[0]} sites, {everybody[-1]:.2f} at {widths[-1]:,}",
            agrees=rising and everybody[-1] / widths[-1] < everybody[0] / widths[0],
        ),
        Claim(
            paper=f"the rule chooses {_PAPER_WINDOW:,} sites",
            ours=None if chosen is None or too_few else f"{chosen:,} sites",
            agrees=chosen == _PAPER_WINDOW,
            why="there are too few sites for its widths" if too_few
            else "it depends on the number of haplotypes and on which sites there are",
        ),
    ]  # fmt: skip
    drawings = {
        "Mean entropy of the distinct haplotypes in a window.": lambda ax: plots_statistics.window_entropy(
            ax, widths, dict(sorted(bits.items())), everybody, chosen
        )
    }
    return write_page(request, folder, text, [table], drawings, claims)
