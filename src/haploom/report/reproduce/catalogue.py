"""What `haploom reproduce` can make again, and what a run of it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

Size = Literal["quick", "standard", "full"]

# Name on the command line -> its title, and the module of this package whose `reproduce` makes it.
RESULTS: dict[str, tuple[str, str]] = {
    "table1": ("Table 1: the VAE and PCA, population by population", "storage"),
    "table2": ("Table 2: windowed VQ-VAE beside general and genotype compressors", "storage"),
    "table3": ("Table 3: maps by the VAE, PCA, t-SNE and UMAP", "table3"),
    "table4": ("Table 4: labels by PCA, the VAEs, and tuned baselines", "table4"),
    "table-s3": ("Table S3: the C-VAE, population by population", "storage"),
    "fig1": ("Figure 1: how much populations vary", "variation"),
    "fig3": ("Figure 3: how much windows hold", "variation"),
    "fig4": ("Figure 4: maps by principal components and by the VAE", "fig4"),
    "fig5": ("Figure 5: linkage in real and made-up people", "synthetic_figures"),
    "fig6": ("Figure 6: made-up people on the map, and their entropies", "synthetic_figures"),
    "fig-s1": ("Figure S1: classifiers trained on made-up people", "synthetic_figures"),
    "fig-s2": ("Figure S2: made-up people of a GMMN and of the C-VAE", "gmmn"),
    "fig-s3": ("Figure S3: subpopulations of AFR, by principal components and by the VAE", "fig4"),
    "fig-s4": ("Figure S4: subpopulations of AMR, by principal components and by the VAE", "fig4"),
    "fig-s5": ("Figure S5: subpopulations of the other regions, by principal components and by the VAE", "fig4"),
    "fig-s6": ("Figure S6: maps by t-SNE and UMAP", "map_pages"),
    "fig-s7": ("Figure S7: people on sequential against random SNPs", "map_pages"),
    "fig-s8": ("Figure S8: dogs on sequential against random SNPs", "map_pages"),
    "fig-s9": ("Figure S9: folded spectra of made-up people", "synthetic_figures"),
    "fig-s10": ("Figure S10: the label as a handle", "synthetic_figures"),
    "gmmn": ("A GMMN beside the C-VAE", "gmmn"),
}

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A table or figure to make again.

    name: of RESULTS, or ALL. size: quick (minutes, the same code), standard or full (the paper's).
    genotypes, populations: real founders or people; without them they are simulated. label: the column of
    `populations`.
    """

    name: str
    size: Size = "standard"
    genotypes: Path | None = None
    populations: Path | None = None
    label: str | None = None
    seed: int = 1

    @property
    def title(self) -> str:
        """What the result is called on its page."""
        return "Every table and figure of the paper" if self.name == ALL else RESULTS[self.name][0]

    @property
    def origin(self) -> str:
        """Where its people come from, in words."""
        return self.genotypes.name if self.genotypes else "simulated"


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Make it in `folder`, which exists; finished parts of an earlier run there are kept. Returns what was written.

    The first file is text to print (.txt); NAME.html is the page. Raises HaploomError where the folder holds parts
    made with other settings.
    """
    module = "everything" if request.name == ALL else RESULTS[request.name][1]
    make: Callable[[Request, Path], list[Path]]
    make = import_module(f"{__package__}.{module}").reproduce
    return make(request, folder)
