"""Table 3: how well maps of two coordinates keep populations apart, and whether they are true."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from haploom.io.output import text_output
from haploom.report.page import Column, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.map_data import SIZES, MapSizes, data_sets
from haploom.report.reproduce.map_figures import map_figures
from haploom.report.reproduce.map_methods import PLAIN, REFINED, SCALED, VAE, makers_here
from haploom.report.reproduce.map_rows import HELD_OUT, SCORES, TRAINING, measure_maps
from haploom.report.reproduce.pages import write_result
from haploom.report.reproduce.rows import Row, RowFile
from haploom.report.result_folder import cell

# The paper's Table 3: PCA, then the VAE.
PAPER = {
    "simulated people": {"pseudo_f": (50315.56, 56409.29), "silhouette": (0.69, 0.77), "davies_bouldin": (0.48, 0.29)},
    "simulated dogs": {"pseudo_f": (151.89, 276.03), "silhouette": (0.12, 0.07), "davies_bouldin": (3.87, 3.39)},
}
SHOWN = {
    "pseudo_f": ("pseudo-F", ",.1f"), "silhouette": ("silhouette", ".3f"), "davies_bouldin": ("Davies-Bouldin", ".2f"),
    "neighbours": ("k-NN accuracy", ".3f"), "trustworthiness": ("trustworthiness", ".3f"),
    "continuity": ("continuity", ".3f"), "genotype_correlation": ("correlation, genotypes", ".3f"),
    "ground_correlation": ("correlation, ground", ".3f"),
}  # fmt: skip

_WORDS = """\
Two coordinates a row, by methods that see no label. Training people are those a map was made of, as in the paper;
held-out people were placed on it afterwards, but for t-SNE, which has no way to place anyone and is made of all of
them. Coordinates are standardised before the first three scores. Lower is better for Davies-Bouldin, higher for all
others.

k-NN accuracy: the label of most of the 20 nearest training rows, for held-out people. Trustworthiness: whether
neighbours on the map are neighbours by their genotypes; continuity: whether these stayed together (15 neighbours).
Correlation: distance correlation of the map with the genotypes, and with the ground where coordinates are known.
Means over splits by person."""
_OF_DOGS = "Simulated dogs stand in for the paper's: 16 clades of 9 breeds, 489 dogs."


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Measure and write table3.txt, .html, .tsv."""
    sizes = SIZES[request.size]
    file = row_file(request, sizes, folder)
    rows: list[Row] = []
    sections = []
    for data in data_sets(request, sizes):
        here = measure_maps(data, sizes, request.seed, file, folder, makers_here())
        rows += here
        tables = [score_table(here, HELD_OUT), score_table(here, TRAINING), winners(here)]
        sections.append(
            Section(
                data.heading,
                figures=map_figures(data, folder, dict.fromkeys(row["method"] for row in here)),
                tables=tables,
            )
        )
    words = _WORDS if request.genotypes is not None else f"{_WORDS}\n\n{_OF_DOGS}"
    return write_maps(request, folder, rows, sections, table3_claims(rows), words)


def write_maps(
    request: Request,
    folder: Path,
    rows: Sequence[Row],
    sections: Sequence[Section],
    claims: Sequence[Claim],
    words: str,
) -> list[Path]:
    """NAME.txt, .html and .tsv of a result that is made of maps."""
    tsv = folder / f"{request.name}.tsv"
    columns = ("data", "sites", "seed", "method", "people", "rows", *SCORES)
    with text_output(tsv, True) as out:
        out.write("\t".join(columns) + "\n")
        for row in rows:
            out.write("\t".join("NA" if row[key] is None else cell(row[key]) for key in columns) + "\n")
    return [*write_result(request, folder, sections, claims, words), tsv]


def row_file(request: Request, sizes: MapSizes, folder: Path) -> RowFile:
    """Where finished rows are. Raises HaploomError where the folder holds those of other settings."""
    settings = {
        "result": request.name, "sizes": asdict(sizes), "seed": request.seed, "label": request.label,
        "genotypes": request.origin,
    }  # fmt: skip
    return RowFile(folder / f"rows-{request.name}.jsonl", settings)


def mean_score(rows: Sequence[Row], score: str, **about: str) -> float | None:
    """Over the rows with these values, splits that is; None where it was not measured."""
    values = [
        row[score] for row in rows if all(row[key] == value for key, value in about.items()) and row[score] is not None
    ]
    return float(np.mean(values)) if values else None


def score_table(rows: Sequence[Row], people: str) -> Table:
    """A row a method, a column a score."""
    measured = [score for score in SHOWN if mean_score(rows, score, people=people) is not None]
    columns = [Column("method"), *(Column(*SHOWN[score]) for score in measured)]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = [
        [method, *(mean_score(rows, score, people=people, method=method) for score in measured)] for method in methods
    ]
    first = next(row for row in rows if row["people"] == people)
    n_splits = len({row["seed"] for row in rows})
    splits = f"{n_splits} splits" if n_splits > 1 else "1 split"
    caption = f"{first['data']}, {people} people: {first['rows']:,} rows, {first['sites']:,} sites, {splits}"
    return Table(columns, cells, caption)


def winners(rows: Sequence[Row]) -> Table:
    """Who is best by each score among held-out people: of all methods, and of the VAE and the better PCA."""
    cells = []
    for score, (name, spec) in SHOWN.items():
        found = {
            method: value for method in dict.fromkeys(row["method"] for row in rows)
            if (value := mean_score(rows, score, people=HELD_OUT, method=method)) is not None
        }  # fmt: skip
        if not found:
            continue
        best = best_of(found, score)
        of_two = best_of({method: value for method, value in found.items() if method.startswith(("VAE", "PCA"))}, score)
        cells.append([name, f"{best} ({format(found[best], spec)})", f"{of_two} ({format(found[of_two], spec)})"])
    columns = [Column("score"), Column("best of all"), Column("best of VAE and PCA")]
    return Table(columns, cells, f"{rows[0]['data']}, held-out people: who wins")


def best_of(found: dict[str, float], score: str) -> str:
    """The method with the best score."""
    return (max if SCORES[score] else min)(found, key=lambda method: found[method])


def table3_claims(rows: Sequence[Row]) -> list[Claim]:
    """What the paper's Table 3 says of PCA and VAE, beside the training people here."""
    claims = []
    for data, scores in PAPER.items():
        here = [row for row in rows if row["data"] == data]
        for score, (pca, vae) in scores.items():
            name, spec = SHOWN[score]
            paper_has_vae = (vae > pca) == SCORES[score]
            claim = f"{data.removeprefix('simulated ')}: {name} {pca:{spec}} by PCA, {vae:{spec}} by the VAE"
            our_pca, our_vae = (mean_score(here, score, people=TRAINING, method=method) for method in (PLAIN, VAE))
            if our_pca is None or our_vae is None:
                claims.append(Claim(paper=claim, why=f"needs {data}: run without --genotypes"))
                continue
            vae_wins = (our_vae > our_pca) == SCORES[score]
            claims.append(
                Claim(
                    paper=claim, ours=f"{our_pca:{spec}} by PCA, {our_vae:{spec}} by the VAE",
                    agrees=vae_wins == paper_has_vae,
                    why="other people, other sites; the paper chose no epoch on people held out",
                )
            )  # fmt: skip
    for data in dict.fromkeys(row["data"] for row in rows):
        found = {
            method: mean_score(rows, "neighbours", data=data, people=HELD_OUT, method=method)
            for method in (VAE, REFINED, PLAIN, SCALED)
        }
        known = {method: value for method, value in found.items() if value is not None}
        if len(known) < len(found):
            continue
        claims.append(
            Claim(
                paper="two coordinates of the VAE retain more than two principal components",
                ours=f"{data}, k-NN accuracy of held-out people: "
                + ", ".join(f"{method} {value:.3f}" for method, value in known.items()),
                agrees=known[REFINED] > max(known[PLAIN], known[SCALED]),
                why="few people for a network; scaled SNPs make a better PCA than the paper's",
            )
        )  # fmt: skip
    return claims
