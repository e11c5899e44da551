"""Table 4: which label a haplotype is given, by the paper's protocol: bred people, founders of each part apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.ancestry.trusted_training import expected_calibration_error
from haploom.io.output import text_output
from haploom.panel import Panel
from haploom.report.page import Column, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.label_methods import Fitting, Labeller, fits
from haploom.report.reproduce.pages import write_result
from haploom.report.reproduce.people import PROTOCOLS, People, Protocol, bred_people, founders_of
from haploom.report.reproduce.rows import Row, RowFile
from haploom.report.reproduce.table4_claims import PAPER, is_paper, mean_of, table4_claims
from haploom.report.result_folder import cell

TRAIN, BRED, UNRELATED = "train", "bred", "unrelated"


@dataclass(frozen=True, kw_only=True)
class LabelSizes:
    """protocol: of the people. seeds: runs, each with founders, offspring and models of its own.

    epochs: of networks at most, by profile; None for the profile's own.
    """

    protocol: Protocol
    seeds: int
    epochs: dict[str, int | None]


SIZES = {
    "quick": LabelSizes(
        protocol=replace(PROTOCOLS["quick"], sites=300, train_haplotypes=560, test_haplotypes=280), seeds=1,
        epochs={"paper": 20, "sound": 10},
    ),
    # Offspring of one late generation descend from a handful of founders, who then decide every figure.
    "standard": LabelSizes(
        protocol=replace(
            PROTOCOLS["standard"], sites=5000, founders=200, train_haplotypes=1400, test_haplotypes=1400,
        ),
        seeds=5, epochs={"paper": 150, "sound": None},  # at 30, labels by the paper's C-VAE are far from settled
    ),
    "full": LabelSizes(protocol=PROTOCOLS["full"], seeds=5, epochs={"paper": None, "sound": None}),
}  # fmt: skip

_WORDS = """\
Accuracy of labels, per haplotype, means over {seeds}, each with founders, offspring and models of its own.
Founders are split before anyone is bred, so that bred test people share no founder with those that anything was
learned from; unrelated people are the test founders themselves. Train: the people that were learned from. Networks
choose their epoch, and baselines their settings, on validation people, whose founders are others again; baselines
and the trusted classifier then learn from these too.

Networks by the paper's settings were trained for {paper} epochs at most, by ours for {sound}. Data: {origin};
{train:,} training and {test:,} bred test haplotypes of {generations} generations, {sites:,} sites."""


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Measure and write table4.txt, .html, .tsv."""
    sizes = SIZES[request.size]
    rows = measure(request, sizes, folder)
    claims = table4_claims(rows)
    tables = [accuracy_table(rows), population_table(rows), calibration_table(rows)]
    tsv = folder / "table4.tsv"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with text_output(tsv, True) as out:
        out.write("\t".join(columns) + "\n")
        for row in rows:
            out.write("\t".join("NA" if row.get(key) is None else cell(row[key]) for key in columns) + "\n")
    protocol = sizes.protocol
    words = _WORDS.format(
        seeds=f"{sizes.seeds} runs" if sizes.seeds > 1 else "1 run", origin=f"founders {request.origin}",
        train=protocol.train_haplotypes, test=protocol.test_haplotypes, generations=protocol.generations,
        sites=protocol.sites,
        **{name: "the profile's" if n is None else n for name, n in sizes.epochs.items()},
    )  # fmt: skip
    sections = [Section("Labels of held-out people", tables=tables)]
    return [*write_result(request, folder, sections, claims, words), tsv]


def measure(request: Request, sizes: LabelSizes, folder: Path) -> list[Row]:
    """A row a seed and method; those of an earlier run in `folder` are taken as they are."""
    settings = {
        "result": request.name, "sizes": asdict(sizes), "seed": request.seed, "label": request.label,
        "founders": request.origin,
    }  # fmt: skip
    file = RowFile(folder / "rows-table4.jsonl", settings)

    @cache
    def fitting(seed: int) -> Fitting:
        founders = founders_of(
            request.genotypes, request.populations, request.label, sizes.protocol, seed, sizes.protocol.sites
        )
        return Fitting(bred_people(*founders, sizes.protocol, seed), sizes.epochs, seed)

    rows: list[Row] = []
    with progress.task("Measuring table4", sizes.seeds * len(list(fits()))) as advance:
        for seed in range(request.seed, request.seed + sizes.seeds):
            for name, fit in fits():
                rows += file.measured(
                    f"{seed} {name}",
                    lambda seed=seed, fit=fit: [  # type: ignore[misc]
                        {"seed": seed, **row_of(labeller, fitting(seed).people)} for labeller in fit(fitting(seed))
                    ],
                )
                advance()
            fitting.cache_clear()
    return rows


def row_of(labeller: Labeller, people: People) -> Row:
    """Accuracies of a fitted method, 0 to 1: of all rows, and of each population's bred ones (recall_...).

    balanced: the mean recall of bred test people. calibration_...: expected calibration error of its probabilities.
    """
    row: Row = {"method": labeller.method}
    tests: dict[str, Panel] = {TRAIN: people.training_rows, **people.tests}
    for name, panel in tests.items():
        truth, said = panel.labels(people.level, per="haplotype"), labeller.label(panel)
        right = np.array(truth.tolist()) == np.array(said.tolist())
        row[name] = float(right.mean())
        if name == BRED:
            recalls = {label: float(right[truth == label].mean()) for label in people.populations()}
            row["balanced"] = float(np.mean(list(recalls.values())))
            row |= {f"recall_{label}": recall for label, recall in recalls.items()}
            for kind, probabilities in labeller.probabilities.items():
                row[f"calibration_{kind}"] = expected_calibration_error(probabilities(panel), right)
    return row


def accuracy_table(rows: Sequence[Row]) -> Table:
    """The paper's columns, and unrelated people."""
    cells = []
    for method in dict.fromkeys(row["method"] for row in rows):
        paper = PAPER.get(is_paper(method))
        seeds = [row[BRED] for row in rows if row["method"] == method]
        spread = float(np.std(seeds)) if len(seeds) > 1 else None
        cells.append(
            [method, *(mean_of(rows, method, part) for part in (TRAIN, BRED)), spread,
             mean_of(rows, method, UNRELATED), *(paper or (None, None))]
        )  # fmt: skip
    columns = [
        Column("method"), Column("train", ".3f"), Column("test, bred", ".3f"), Column("SD over runs", ".3f"),
        Column("test, unrelated", ".3f"), Column("paper, train", ".3f"), Column("paper, test", ".3f"),
    ]  # fmt: skip
    return Table(columns, cells, "Accuracy")


def population_table(rows: Sequence[Row]) -> Table:
    """Bred test people: the share of each population's haplotypes labelled right."""
    populations = sorted({key.removeprefix("recall_") for row in rows for key in row if key.startswith("recall_")})
    cells = [
        [method, *(mean_of(rows, method, f"recall_{label}") for label in populations)]
        for method in dict.fromkeys(row["method"] for row in rows)
    ]
    return Table([Column("method"), *(Column(label, ".3f") for label in populations)], cells, "Bred, by population")


def calibration_table(rows: Sequence[Row]) -> Table:
    """How far stated probabilities are from the share that is right."""
    kinds = {"not tempered": "as in the paper", "tempered": "tempered on validation people", "calibrated": "calibrated"}
    cells: list[list[object]] = []
    for method in dict.fromkeys(row["method"] for row in rows):
        found = [mean_of(rows, method, f"calibration_{kind}") for kind in kinds]
        if any(value is not None for value in found):
            cells.append([method, *found])
    columns = [Column("method"), *(Column(name, ".3f") for name in kinds.values())]
    return Table(columns, cells, "Expected calibration error, bred test people")
