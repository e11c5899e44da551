"""Whether made-up people are taken for people of their label, by a classifier that learned from real ones.

    python benchmarks/synthetic_labels.py [DATA_FOLDER] [--kinds cvae,yvae] [--models FOLDER]

With DATA_FOLDER chr22-whole by superpopulation, without it 100 simulated people of each of seven populations at 10,000
sites; people split 70/10/20 by person, stratified, seed 1; sites above 1 % among the training people. Logistic
regression on the training people's alleles labels held-out people, and 150 made-up people of each label, with alleles
decided and sampled. Trained models are kept in --models. Appends a JSON line a kind to records/synthetic-labels.jsonl.
"""

import argparse
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.bench.records import append_records
from haploom.io.model_file import read_model
from haploom.panel import PARTS
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "synthetic-labels.jsonl"
PEOPLE = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--kinds", default="cvae,yvae")
    parser.add_argument("--models", type=Path, default=Path("synthetic-labels"))
    arguments = parser.parse_args()
    arguments.models.mkdir(exist_ok=True)
    if arguments.folder:
        name, level = "whole", "superpopulation"
        selection = hl.Selection(populations=arguments.folder / "populations.tsv")
        panel = hl.read_panel(arguments.folder / "chr22-whole.vcf.gz", selection)
    else:
        name, level = "sim", "population"
        panel = hl.simulate_panel(people=100, sites=10_000, seed=1)
    split = hl.split_people(panel.samples, panel.labels(level).tolist(), fractions=(0.7, 0.1, 0.2), seed=1)
    train = panel.select_samples(split.samples("train", panel.samples))
    panel = panel.select_sites(np.flatnonzero(train.minor_allele_frequencies() > 0.01))
    train, validation, test = (panel.select_samples(split.samples(part, panel.samples)) for part in PARTS)
    classifier = hl.SnpLogisticRegression().fit(
        train, train.labels(level, "haplotype"), validation, validation.labels(level, "haplotype")
    )
    for kind in arguments.kinds.split(","):
        path = arguments.models / f"{name}-{kind}.model"
        if not path.exists():
            trained = hl.train_model(panel, split, level, kind=kind, device="cpu", processes=1)
            hl.write_model(trained.model, path)
        model = read_model(path)
        record = {
            "benchmark": "synthetic-labels", "data": name, "sites": panel.n_sites, "kind": kind,
            "real": round(right(classifier, test, level), 4),
        }  # fmt: skip
        for way in ("decided", "sampled"):
            made = hl.synthesize_panel(model, model.labels, PEOPLE, sampled=way == "sampled")
            record[way] = round(right(classifier, made, level), 4)
        append_records(RECORDS, [{**record, "versions": package_versions()}])
        print(record, flush=True)


def right(classifier: hl.SnpLogisticRegression, panel: hl.Panel, level: str) -> float:
    return float((classifier.predict(panel) == panel.labels(level, "haplotype")).mean())


if __name__ == "__main__":
    main()
