"""How often label sets hold the right label, over 20 person splits of chr22-dense, with 5 and with 26 labels.

    python benchmarks/label_sets.py DATA_FOLDER WORK_FOLDER [superpopulation population]

What is measured of each person (copying by label, kernel scores) is measured once, from all other people, and kept in
WORK_FOLDER; each split then fits the stack, its temperature and the sets' thresholds to 80 % of the people and looks at
the other 20 %. So held-out people serve as reference for others, which a full training (see classify.py) does not let
them; what is calibrated never sees their labels beside their own evidence. With 26 labels the stack's penalty is fixed;
the temperature of likelihoods is that of the first split. Adds a line a label level to records/label-sets.jsonl.
least_coverage is the least a split can have where sets hold the top label and LEAST of every label;
chance_calibration_error is that of perfect probabilities on as few people: bins of few rows are never quite right.
"""

import sys
import time
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.ancestry.conformal import label_sets, set_thresholds
from haploom.ancestry.probabilities import fit_stack
from haploom.ancestry.trusted_training import expected_calibration_error
from haploom.baselines.kernel_ridge import KernelRidge, squared_distances
from haploom.baselines.label_copying import LabelCopying
from haploom.bench.records import append_records
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "label-sets.jsonl"
SPLITS = range(1, 21)
MAF = 0.001
PENALTY = 0.1
LEAST = 0.85  # coverage wanted of every label


def main() -> None:
    folder, work = Path(sys.argv[1]), Path(sys.argv[2])
    work.mkdir(exist_ok=True)
    selection = hl.Selection(populations=folder / "populations.tsv")
    panel = hl.read_panel(folder / "chr22-dense.vcf.gz", selection).common(MAF)
    for level in sys.argv[3:] or ("superpopulation", "population"):
        start = time.perf_counter()
        record = {"task": f"label-sets/chr22-dense, {level}", "splits": len(SPLITS), "sites": panel.n_sites}
        record |= {**measured(panel, level, work), "seconds": round(time.perf_counter() - start, 1)}
        append_records(RECORDS, [{**record, "versions": package_versions()}])
        print(record, flush=True)


def measured(panel: hl.Panel, level: str, work: Path) -> dict:
    names, of_person = np.unique(panel.labels(level).tolist(), return_inverse=True)
    order = np.argsort(of_person, kind="stable")
    panel = panel.select_samples([panel.samples[i] for i in order])
    of_person = of_person[order]
    labels, people = np.repeat(of_person, 2), np.repeat(np.arange(panel.n_samples), 2)
    kept = work / f"evidence-{level}.npz"
    if not kept.exists():
        np.savez(kept, **evidence(panel, labels))
    nats, scores = (np.load(kept)[name] for name in ("nats", "scores"))
    names_of = ("coverage", "set_size", "accuracy", "calibration_error", "chance_calibration_error", "least_coverage")
    figures: dict[str, list] = {key: [] for key in (*names_of, "of_label")}
    confident, hits, rng = [], [], np.random.default_rng(1)
    settings = {} if len(names) < 10 else {"penalties": (PENALTY,)}
    for seed in SPLITS:
        split = hl.split_people(panel.samples, [names[i] for i in of_person], (0.8, 0.0, 0.2), seed=seed)
        new = np.repeat([split.part_of[sample] == "test" for sample in panel.samples], 2)
        # Evenly numbered, so that folds of people hold every label.
        fold = np.unique(people[~new], return_inverse=True)[1]
        stack, left_out = fit_stack(nats[~new], scores[~new], labels[~new], fold, **settings)
        settings |= {"penalties": (PENALTY,), "likelihood_temperatures": (stack.likelihood_temperature,)}
        thresholds = set_thresholds(left_out, labels[~new])
        probabilities = stack.probabilities(nats[new], scores[new])
        sets, truth = label_sets(probabilities, thresholds), labels[new]
        held, right = sets[np.arange(len(truth)), truth], probabilities.argmax(axis=1) == truth
        assert sets[np.arange(len(truth)), probabilities.argmax(axis=1)].all()
        figures["of_label"].append(np.bincount(truth, held) / np.bincount(truth))
        confident.append(probabilities.max(axis=1, keepdims=True))
        hits.append(right)
        by_chance = [expected_calibration_error(confident[-1], rng.random(len(right)) < confident[-1][:, 0])
                     for _ in range(20)]  # fmt: skip
        error = expected_calibration_error(probabilities, right)
        share, top = np.bincount(truth) / len(truth), np.bincount(truth, right) / np.bincount(truth)
        least = float(share @ np.maximum(top, LEAST))
        found = (held.mean(), sets.sum(axis=1).mean(), right.mean(), error, np.mean(by_chance), least)
        for key, value in zip(names_of, found):
            figures[key].append(value)
        print(level, seed, held.mean(), right.mean(), flush=True)
    of_label = np.mean(figures.pop("of_label"), axis=0)
    means = {f"mean_{key}": round(float(np.mean(values)), 4) for key, values in figures.items()}
    pooled = expected_calibration_error(np.concatenate(confident), np.concatenate(hits))
    return means | {
        "calibration_error_of_all_splits": round(pooled, 4),
        "coverages": [round(float(each), 4) for each in figures["coverage"]],
        "mean_coverage_of_label": dict(zip(names.tolist(), np.round(of_label, 4).tolist())),
    }


def evidence(panel: hl.Panel, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Of every haplotype, from all other people: nats and kernel scores of each label."""
    alleles, sites = panel.alleles(), panel.variants
    starts = np.searchsorted(labels, np.arange(labels.max() + 2))
    nats = LabelCopying(alleles, starts, sites.chrom, sites.position_bp).log_likelihoods(
        alleles, np.arange(len(alleles))
    )
    scores = KernelRidge().fit(squared_distances(alleles, np.True_, alleles), labels, 2).left_out_
    return {"nats": nats, "scores": scores}


if __name__ == "__main__":
    main()
