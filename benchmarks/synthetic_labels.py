"""Whether made-up people are taken for people of their label, by a classifier that learned from real ones.

    python benchmarks/synthetic_labels.py [DATA_FOLDER] [--people N] [--sites N] [--kinds cvae,yvae] [--models FOLDER]

With DATA_FOLDER chr22-whole by superpopulation, without it --people simulated people of each of seven populations at
--sites sites; people split 70/10/20 by person, stratified, seed 1; sites above 1 % among the training people. Judges
learn from the training and validation people: logistic regression on alleles, and the ancestry classifier, which may
call people unknown, and is then not right (`trusted`), or is asked for the likeliest label all the same (`likeliest`).
They label held-out people, and 150 made-up people of each label, with alleles decided and sampled, from latents of the
prior and from those around training people's. Trained models are kept in --models. Appends a JSON line a kind to
records/synthetic-labels.jsonl.
"""

import argparse
from pathlib import Path
from typing import get_args

import numpy as np

import haploom as hl
from haploom.ancestry.trusted_training import train_ancestry
from haploom.bench.records import append_records
from haploom.io.model_file import read_model
from haploom.panel import PARTS
from haploom.provenance import package_versions
from haploom.synthesis.from_models import Latents

RECORDS = Path(__file__).parent / "records" / "synthetic-labels.jsonl"
PEOPLE = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--sites", type=int, default=20_000)
    parser.add_argument("--kinds", default="cvae,yvae")
    parser.add_argument("--models", type=Path, default=Path("synthetic-labels"))
    arguments = parser.parse_args()
    arguments.models.mkdir(exist_ok=True)
    if arguments.folder:
        name, level = "whole", "superpopulation"
        selection = hl.Selection(populations=arguments.folder / "populations.tsv")
        panel = hl.read_panel(arguments.folder / "chr22-whole.vcf.gz", selection)
    else:
        name, level = f"sim{arguments.people}-{arguments.sites}", "population"
        panel = hl.simulate_panel(people=arguments.people, sites=arguments.sites, seed=1)
    split = hl.split_people(panel.samples, panel.labels(level).tolist(), fractions=(0.7, 0.1, 0.2), seed=1)
    train = panel.select_samples(split.samples("train", panel.samples))
    panel = panel.select_sites(np.flatnonzero(train.minor_allele_frequencies() > 0.01))
    train, validation, test = (panel.select_samples(split.samples(part, panel.samples)) for part in PARTS)
    classifier = hl.SnpLogisticRegression().fit(
        train, train.labels(level, "haplotype"), validation, validation.labels(level, "haplotype")
    )
    trusted = train_ancestry(panel, split, level)

    def labels_of(people: hl.Panel) -> dict[str, np.ndarray]:
        """What each judge says."""
        found = hl.classify_panel(people, trusted)
        likeliest = np.array(found.classes)[found.scores.argmax(axis=1)]
        return {"logistic": classifier.predict(people), "trusted": found.labels, "likeliest": likeliest}

    for kind in arguments.kinds.split(","):
        path = arguments.models / f"{name}-{kind}.model"
        if not path.exists():
            trained = hl.train_model(panel, split, level, kind=kind, device="cpu", processes=1)
            hl.write_model(trained.model, path)
        model = read_model(path)
        people = {"real": test}
        for latents in get_args(Latents):
            for way in ("decided", "sampled"):
                people[f"{latents}, {way}"] = hl.synthesize_panel(
                    model, model.labels, PEOPLE, sampled=way == "sampled", latents=latents
                )
        shares = {of: right(labels_of(each), each.labels(level, "haplotype")) for of, each in people.items()}
        record = {
            "benchmark": "synthetic-labels", "data": name, "sites": panel.n_sites, "kind": kind,
            **{judge: {of: found[judge] for of, found in shares.items()} for judge in shares["real"]},
        }  # fmt: skip
        append_records(RECORDS, [{**record, "versions": package_versions()}])
        print(record, flush=True)


def right(said: dict[str, np.ndarray], truth: np.ndarray) -> dict[str, float]:
    """Of each judge, the share of haplotypes that are given their own label."""
    return {judge: round(float((labels == truth).mean()), 4) for judge, labels in said.items()}


if __name__ == "__main__":
    main()
