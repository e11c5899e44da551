"""How much synthetic haplotypes are like held-out people's, for each kind of model that makes them.

    python benchmarks/synthesis.py DATA_FOLDER [vae cvae yvae gmmn ...] [--sites N] [--threads N]

chr22-dense, people split 70/10/20 by person, stratified by superpopulation, seed 1; the first N sites above 1 %
minor-allele frequency among the training people. Each model makes 300 people of each superpopulation; they are
compared with the test people of it, and figures are means over superpopulations; "training people" are as many of
them, drawn with replacement. `all` is a gmmn trained without labels, compared with all test people. Appends one JSON
line a model to records/synthesis.jsonl.

frequency_r, linkage_r: correlation over sites, or pairs of sites up to 100 apart, of the allele frequency, or of r.
diversity: differences between two haplotypes at a site, over those of the test people. fixed: share of the sites that
do not vary, among those that do in the test people. nearest_training, nearest_test: mean distance to the nearest
training haplotype, in differences a site; of the test people themselves.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.bench.records import append_records
from haploom.panel import PARTS
from haploom.provenance import package_versions
from haploom.synthesis import populations_of

RECORDS = Path(__file__).parent / "records" / "synthesis.jsonl"
PEOPLE = 300
APART = 100  # sites


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", default=["training people", "vae", "cvae", "yvae", "gmmn", "all"])
    parser.add_argument("--sites", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    from haploom.training.threads import use_threads

    use_threads(arguments.threads)
    level = "superpopulation"
    selection = hl.Selection(populations=arguments.folder / "populations.tsv")
    panel = hl.read_panel(arguments.folder / "chr22-dense.vcf.gz", selection)
    split = hl.split_people(panel.samples, panel.labels(level).tolist(), fractions=(0.7, 0.1, 0.2), seed=1)
    train = panel.select_samples(split.samples("train", panel.samples))
    panel = panel.select_sites(np.flatnonzero(train.minor_allele_frequencies() > 0.01)[: arguments.sites])
    train, _, test = (panel.select_samples(split.samples(part, panel.samples)) for part in PARTS)
    for kind in arguments.kinds:
        start = time.perf_counter()
        if kind == "training people":
            made = {label: drawn(of_label(train, level, label)) for label in sorted(set(train.labels(level)))}
        else:
            shape = {"n_labels": 0} if kind == "all" else {}
            model = hl.train_model(
                panel, split, level, kind="gmmn" if kind == "all" else kind, shape=shape, device="cpu",
                processes=arguments.threads if kind == "yvae" else 1,
            ).model  # fmt: skip
            people = hl.synthesize_panel(model, populations_of(model), PEOPLE)
            made = {label: of_label(people, level, label) for label in populations_of(model)}
        seconds = time.perf_counter() - start
        figures = [compared(rows, of_label(test, level, label), train.alleles()) for label, rows in made.items()]
        means = {name: round(float(np.mean([each[name] for each in figures])), 4) for name in figures[0]}
        record = {
            "benchmark": "synthesis", "kind": kind, "sites": panel.n_sites, "people_of_each": PEOPLE, **means,
            "seconds": round(seconds, 1), "threads": arguments.threads, "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print(record)


def drawn(alleles: np.ndarray) -> np.ndarray:
    return alleles[np.random.default_rng(1).integers(len(alleles), size=2 * PEOPLE)]


def of_label(panel: hl.Panel, level: str, label: str) -> np.ndarray:
    """Alleles of a label's haplotypes; of everybody's where no one has it."""
    rows = panel.labels(level, per="haplotype") == label
    return panel.alleles()[rows if rows.any() else slice(None)]


def compared(made: np.ndarray, test: np.ndarray, train: np.ndarray) -> dict[str, float]:
    varies = (test.std(axis=0) > 0) & (made.std(axis=0) > 0)
    linked = [neighbours_r(rows[:, varies]) for rows in (made, test)]
    return {
        "frequency_r": np.corrcoef(made.mean(axis=0), test.mean(axis=0))[0, 1],
        "linkage_r": np.corrcoef(*linked)[0, 1],
        "diversity": diversity(made) / diversity(test),
        "fixed": 1 - varies.sum() / (test.std(axis=0) > 0).sum(),
        "nearest_training": nearest(made, train),
        "nearest_test": nearest(test, train),
    }


def neighbours_r(alleles: np.ndarray) -> np.ndarray:
    r = np.corrcoef(alleles.T)
    return r[np.triu(np.tri(len(r), k=APART, dtype=bool), k=1)]


def diversity(alleles: np.ndarray) -> float:
    p = alleles.mean(axis=0)
    return float((2 * p * (1 - p)).mean()) * len(alleles) / (len(alleles) - 1)


def nearest(rows: np.ndarray, train: np.ndarray) -> float:
    x, y = rows[:300].astype(np.float32), train.astype(np.float32)
    distances = x.sum(axis=1)[:, None] + y.sum(axis=1) - 2 * x @ y.T
    return float(distances.min(axis=1).mean()) / rows.shape[1]


if __name__ == "__main__":
    main()
