"""Figures S6 (t-SNE and UMAP), S7 and S8 (sequential against random SNPs), with the scores of what is drawn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from haploom.report.page import Section
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.map_data import (
    SIZES,
    Genotyped,
    MapSizes,
    data_sets,
    given,
    simulated_dogs,
    simulated_people,
    thinned,
)
from haploom.report.reproduce.map_figures import map_figures
from haploom.report.reproduce.map_methods import (
    PLAIN,
    REFINED,
    UMAP,
    Maker,
    by_components,
    by_tsne,
    by_umap,
    by_vae,
    makers_here,
)
from haploom.report.reproduce.map_rows import HELD_OUT, TRAINING, measure_maps
from haploom.report.reproduce.rows import Row
from haploom.report.reproduce.table3 import mean_score, row_file, score_table, write_maps

SEQUENTIAL, RANDOM = "sequential SNPs", "random SNPs"
_SHARE = 10  # one SNP in so many is taken, in a row or at random
_S6_WORDS = """\
t-SNE and UMAP see the first 50 principal components of the training people. UMAP places held-out people on the
finished map; t-SNE cannot, and is made of all of them together. Outlined points are held-out people."""
_S78_WORDS = """\
As many SNPs in a row, and drawn at random from the whole stretch. Neighbouring SNPs are inherited together, so a
row of them says less of a person, and what it says is of a few places of the genome. Outlined points are held-out
people."""


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Write NAME.txt, .html, .tsv."""
    sizes = SIZES[request.size]
    if request.name == "fig-s6":
        makers = [make for make in makers_here() if make in (by_tsne, by_umap)]
        return _page(request, folder, list(data_sets(request, sizes)), makers, _S6_WORDS)
    return _page(request, folder, thinned_both_ways(request, sizes), [by_components, by_vae], _S78_WORDS)


def thinned_both_ways(request: Request, sizes: MapSizes) -> list[Genotyped]:
    """The same people at the first SNPs, and at as many of all."""
    if request.genotypes is not None:
        data = given(request)
    elif request.name == "fig-s7":
        data = simulated_people(sizes.people, 5 * sizes.sites, request.seed)
    else:
        data = simulated_dogs(5 * sizes.dog_sites, request.seed)
    n_sites = data.genotypes.n_sites
    wanted = max(2, n_sites // _SHARE)
    at_random = np.sort(np.random.default_rng(request.seed).choice(n_sites, wanted, replace=False))
    return [thinned(data, slice(0, wanted), SEQUENTIAL), thinned(data, at_random, RANDOM)]


def _page(
    request: Request, folder: Path, data_of: Sequence[Genotyped], makers: Sequence[Maker], words: str
) -> list[Path]:
    sizes = SIZES[request.size]
    file = row_file(request, sizes, folder)
    rows: list[Row] = []
    sections = []
    for data in data_of:
        here = measure_maps(data, sizes, request.seed, file, folder, makers)
        rows += here
        tables = [score_table(here, HELD_OUT), score_table(here, TRAINING)]
        sections.append(
            Section(
                data.heading,
                figures=map_figures(data, folder, dict.fromkeys(row["method"] for row in here)),
                tables=tables,
            )
        )
    claims = s6_claims(rows) if request.name == "fig-s6" else s78_claims(rows)
    return write_maps(request, folder, rows, sections, claims, words)


def s6_claims(rows: Sequence[Row]) -> list[Claim]:
    """Whether newcomers can be placed."""
    claims = []
    for data in dict.fromkeys(row["data"] for row in rows):
        found = mean_score(rows, "trustworthiness", data=data, people=HELD_OUT, method=UMAP)
        label = mean_score(rows, "neighbours", data=data, people=HELD_OUT, method=UMAP)
        ours = (
            None
            if found is None
            else f"{data}: UMAP placed held-out people, trustworthiness {found:.3f}"
            + ("" if label is None else f", k-NN accuracy {label:.3f}")
        )
        claims.append(
            Claim(
                paper="t-SNE and UMAP cannot map new samples", ours=ours, agrees=None if found is None else False,
                why="umap-learn is not installed (extra umap)" if found is None else "it holds of t-SNE alone",
            )
        )  # fmt: skip
    return claims


def s78_claims(rows: Sequence[Row]) -> list[Claim]:
    """How much either method loses by taking SNPs in a row."""

    def accuracy(method: str, choice: str) -> float | None:
        chosen = [row for row in rows if row["data"].endswith(choice)]
        return mean_score(chosen, "neighbours", people=HELD_OUT, method=method)

    pca_row, pca_random = accuracy(PLAIN, SEQUENTIAL), accuracy(PLAIN, RANDOM)
    vae_row, vae_random = accuracy(REFINED, SEQUENTIAL), accuracy(REFINED, RANDOM)
    if pca_row is None or pca_random is None or vae_row is None or vae_random is None:
        return [Claim(paper="linkage lowers the accuracy of PCA on sequential SNPs", why="there are no labels")]
    return [
        Claim(
            paper="linkage lowers the accuracy of PCA on sequential SNPs",
            ours=f"k-NN accuracy of held-out people {pca_row:.3f} on sequential, {pca_random:.3f} on random SNPs",
            agrees=pca_row < pca_random, why="SNPs drawn at random from one stretch are linked too",
        ),
        Claim(
            paper="the VAE is biased less by linkage",
            ours=f"VAE {vae_row:.3f} and {vae_random:.3f}: it loses {vae_random - vae_row:+.3f}, "
            f"PCA {pca_random - pca_row:+.3f}",
            agrees=vae_random - vae_row < pca_random - pca_row,
            why="sequential SNPs hold less about where people are from, whatever the method",
        ),
        Claim(
            paper="with few SNPs in a row the VAE keeps people apart better than PCA",
            ours=f"sequential SNPs: VAE {vae_row:.3f}, PCA {pca_row:.3f}",
            agrees=vae_row > pca_row, why="few training people for a network",
        ),
    ]  # fmt: skip
