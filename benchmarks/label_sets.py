"""How often label sets hold the right label, over 20 person splits of chr22-dense, with 5 and with 26 labels.

    python benchmarks/label_sets.py DATA_FOLDER superpopulation --trained           # about 35 minutes of one core
    python benchmarks/label_sets.py DATA_FOLDER superpopulation population --work FOLDER

--trained: each split trains a classifier on 80 % of the people, as a user does (MAF > 1 %), and labels the others.

Otherwise what is measured of each person (copying by label, kernel scores; MAF > 0.1 %) is measured once, from all
other people, and kept in FOLDER; each split then fits the stack, its temperature and the sets' thresholds to 80 % of
the people and looks at the other 20 %. So held-out people serve as reference for others, which a training does not let
them, and labels are a little better than a user's; what is calibrated never sees their labels beside their own
evidence. With 26 labels the stack's penalty is fixed; the temperature of likelihoods is that of the first split.

Adds a line a label level to records/label-sets.jsonl. least_coverage is the least a split can have where sets hold the
top label and LEAST of every label; chance_calibration_error is that of perfect probabilities on as few people: bins of
few rows are never quite right.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.ancestry.conformal import label_sets, set_thresholds
from haploom.ancestry.probabilities import fit_stack
from haploom.ancestry.trusted_training import expected_calibration_error, train_ancestry
from haploom.baselines.kernel_ridge import KernelRidge, squared_distances
from haploom.baselines.label_copying import LabelCopying
from haploom.bench.records import append_records
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "label-sets.jsonl"
SPLITS = range(1, 21)
MAF, TRAINED_MAF = 0.001, 0.01
PENALTY = 0.1
LEAST = 0.85  # coverage wanted of every label
LEVELS = ("superpopulation", "population")

Labelled = tuple[np.ndarray, np.ndarray, np.ndarray]  # of test rows: probabilities, sets, places of the right labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("levels", nargs="*", default=list(LEVELS))
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--trained", action="store_true")
    how.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    selection = hl.Selection(populations=arguments.data / "populations.tsv")
    panel = hl.read_panel(arguments.data / "chr22-dense.vcf.gz", selection)
    for level in arguments.levels:
        start = time.perf_counter()
        if arguments.trained:
            splits = trained(panel, level)
        else:
            arguments.work.mkdir(exist_ok=True)
            splits = from_evidence(panel.common(MAF), level, arguments.work)
        record = {
            "task": f"label-sets/chr22-dense, {level}", "trained": arguments.trained, "splits": len(SPLITS),
            "maf": TRAINED_MAF if arguments.trained else MAF,
            **figures_of(splits, np.unique(panel.labels(level)).tolist()),
        }  # fmt: skip
        record |= {"seconds": round(time.perf_counter() - start, 1)}
        append_records(RECORDS, [{**record, "versions": package_versions()}])
        print(record, flush=True)


def trained(panel: hl.Panel, level: str) -> Iterator[Labelled]:
    """Of each split, the whole classifier."""
    for seed in SPLITS:
        split = hl.split_people(panel.samples, panel.labels(level).tolist(), (0.8, 0.0, 0.2), seed=seed)
        model = train_ancestry(panel, split, level, maf=TRAINED_MAF, seed=seed)
        test = panel.select_samples(split.samples("test", panel.samples))
        probabilities = hl.classify_panel(test, model).scores
        # The classification empties the sets of unknown people: here everybody's are looked at.
        sets = label_sets(probabilities, model.arrays["sets.thresholds"])
        yield probabilities, sets, np.searchsorted(model.labels, test.labels(level, per="haplotype").tolist())


def from_evidence(panel: hl.Panel, level: str, work: Path) -> Iterator[Labelled]:
    """Of each split, a stack and thresholds."""
    names, of_person = np.unique(panel.labels(level).tolist(), return_inverse=True)
    order = np.argsort(of_person, kind="stable")
    panel = panel.select_samples([panel.samples[i] for i in order])
    of_person = of_person[order]
    labels, people = np.repeat(of_person, 2), np.repeat(np.arange(panel.n_samples), 2)
    kept = work / f"evidence-{level}.npz"
    if not kept.exists():
        np.savez(kept, **evidence(panel, labels))
    nats, scores = (np.load(kept)[name] for name in ("nats", "scores"))
    settings = {} if len(names) < 10 else {"penalties": (PENALTY,)}
    for seed in SPLITS:
        split = hl.split_people(panel.samples, [names[i] for i in of_person], (0.8, 0.0, 0.2), seed=seed)
        new = np.repeat([split.part_of[sample] == "test" for sample in panel.samples], 2)
        # Evenly numbered, so that folds of people hold every label.
        fold = np.unique(people[~new], return_inverse=True)[1]
        stack, left_out = fit_stack(nats[~new], scores[~new], labels[~new], fold, **settings)
        settings |= {"penalties": (PENALTY,), "likelihood_temperatures": (stack.likelihood_temperature,)}
        probabilities = stack.probabilities(nats[new], scores[new])
        yield probabilities, label_sets(probabilities, set_thresholds(left_out, labels[~new])), labels[new]


def figures_of(splits: Iterable[Labelled], names: list[str]) -> dict:
    """Means over the splits."""
    names_of = ("coverage", "set_size", "accuracy", "calibration_error", "chance_calibration_error", "least_coverage")
    figures: dict[str, list] = {key: [] for key in names_of}
    of_label, top_of_label, confident, hits, rng = [], [], [], [], np.random.default_rng(1)
    for probabilities, sets, truth in splits:
        top = probabilities.argmax(axis=1)
        held, right = sets[np.arange(len(truth)), truth], top == truth
        assert sets[np.arange(len(truth)), top].all()
        of_label.append(np.bincount(truth, held) / np.bincount(truth))
        top_of_label.append(np.bincount(truth, right) / np.bincount(truth))
        confident.append(probabilities.max(axis=1, keepdims=True))
        hits.append(right)
        by_chance = [expected_calibration_error(confident[-1], rng.random(len(right)) < confident[-1][:, 0])
                     for _ in range(20)]  # fmt: skip
        error = expected_calibration_error(probabilities, right)
        share = np.bincount(truth) / len(truth)
        least = float(share @ np.maximum(top_of_label[-1], LEAST))
        found = (held.mean(), sets.sum(axis=1).mean(), right.mean(), error, np.mean(by_chance), least)
        for key, value in zip(names_of, found):
            figures[key].append(value)
        print(len(hits), held.mean(), right.mean(), least, flush=True)
    means = {f"mean_{key}": round(float(np.mean(values)), 4) for key, values in figures.items()}
    pooled = expected_calibration_error(np.concatenate(confident), np.concatenate(hits))
    return means | {
        "calibration_error_of_all_splits": round(pooled, 4),
        "coverages": [round(float(each), 4) for each in figures["coverage"]],
        "mean_coverage_of_label": dict(zip(names, np.round(np.mean(of_label, axis=0), 4).tolist())),
        "mean_top_right_of_label": dict(zip(names, np.round(np.mean(top_of_label, axis=0), 4).tolist())),
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
