"""How often people of no reference population are told so, and people of the reference wrongly.

    python benchmarks/rejection.py DATA_FOLDER [left-out:exome23k left-out:chr22-whole sister admixed missing:FILE
        errors:FILE] [--seeds 1,2,3]

left-out: each superpopulation in turn is left out of training altogether, and all its people are then classified;
    20 % of the others' people are held out for the share falsely rejected.
sister: three simulated populations are the reference, people of a fourth that left one of them 300 generations ago are
    classified (population sizes 10,000; 50 Mb; 20,000 sites above 1 %), phased and unphased.
admixed: people of 50/50 AFR and EUR founders eight generations back, the founders not in the reference: how many get
    one label for both haplotypes with a probability of 0.9 or more; of all, whatever their share on this chromosome,
    and of those who are 0.35 to 0.65 AFR on it (of_half_...).
missing: held-out people with half of the sites absent, and where unphased with half of the calls missing: accuracy,
    calibration, label sets and false rejection, of each label too.
errors: held-out phased people, a share of whose alleles is turned, or whose phase changes every so many Mb.
Adds one line a measurement to records/rejection.jsonl. The score was chosen on seed 1; others say how it does anew.
"""

import argparse
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from local_ancestry import of_founders

import haploom as hl
from haploom.ancestry.conformal import label_sets
from haploom.ancestry.trusted_training import expected_calibration_error, train_ancestry
from haploom.bench.records import append_records
from haploom.io import read_dosages
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.dosages import MISSING
from haploom.popgen.admixture import Admixture
from haploom.popgen.breeding import breed
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "rejection.jsonl"
LEVEL = "superpopulation"
TASK_NAMES = (
    *("left-out:exome23k", "left-out:chr22-whole", "sister", "admixed"),
    *("missing:chr22-dense", "missing:chr22-whole", "missing:exome23k", "errors:chr22-dense", "errors:chr22-whole"),
)
APART_GENERATIONS = 300
WRONG, SWITCH_MB = (0.0, 0.001, 0.005, 0.02), (2.0, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("tasks", nargs="*", default=list(TASK_NAMES))
    parser.add_argument("--seeds", default="1")
    arguments = parser.parse_args()
    for task, seed in itertools.product(arguments.tasks, map(int, arguments.seeds.split(","))):
        kind, _, name = task.partition(":")
        start = time.perf_counter()
        for figures in TASKS[kind](arguments.data, name, seed):
            record = {"task": f"rejection/{task}", "seed": seed, **figures}
            record |= {"seconds": round(time.perf_counter() - start, 1), "versions": package_versions()}
            append_records(RECORDS, [record])
            print({key: value for key, value in record.items() if key != "versions"}, flush=True)


def left_out(folder: Path, name: str, seed: int):
    panel = read(folder, name)
    labels = panel.labels(LEVEL)
    for label in np.unique(labels).tolist():
        strangers = panel.select_samples([s for s, of in zip(panel.samples, labels) if of == label])
        known = panel.select_samples([s for s, of in zip(panel.samples, labels) if of != label])
        model, test = trained(known, seed)
        yield {
            "left_out": label, "sites": len(model.variants), "unknown": unknown(strangers, model),
            "people": strangers.n_samples, "falsely_unknown": unknown(test, model), "held_out_people": test.n_samples,
        }  # fmt: skip


def sister(folder: Path, name: str, seed: int):
    phased = simulated_sister(seed)
    for panel in (phased, DosagePanel.from_panel(phased)):
        labels = panel.labels(LEVEL)
        model, test = trained(panel.select_samples([s for s, of in zip(panel.samples, labels) if of != "sister"]), seed)
        strangers = panel.select_samples([s for s, of in zip(panel.samples, labels) if of == "sister"])
        yield {
            "phased": isinstance(panel, Panel), "generations": APART_GENERATIONS, "sites": len(model.variants),
            "unknown": unknown(strangers, model), "people": strangers.n_samples,
            "falsely_unknown": unknown(test, model), "held_out_people": test.n_samples,
        }  # fmt: skip


def admixed(folder: Path, name: str, seed: int):
    phased = read(folder, "chr22-whole")
    split = hl.split_people(phased.samples, phased.labels(LEVEL).tolist(), (0.6, 0.1, 0.3), seed=seed)
    founders = phased.select_samples(split.samples("test", phased.samples))
    mixture = Admixture({"AFR": 0.5, "EUR": 0.5}, 8)
    (bred,) = breed(founders, level=LEVEL, size={mixture.label: 200}, admix=[mixture], seed=seed)
    people, is_afr = bred.panel(), founders.labels(LEVEL, per="haplotype") == "AFR"
    shares = of_founders(bred, np.broadcast_to(is_afr[:, None], (len(is_afr), founders.n_sites))).mean(axis=1)
    half = np.abs(shares.reshape(-1, 2).mean(axis=1) - 0.5) < 0.15
    for phase in (True, False):
        panel, new = (phased, people) if phase else (DosagePanel.from_panel(phased), DosagePanel.from_panel(people))
        model = train_ancestry(panel, split, LEVEL, maf=0.01, seed=seed)
        got = hl.classify_panel(new, model)
        shape = (new.n_samples, -1)
        same = (got.labels.reshape(shape) == got.labels.reshape(shape)[:, :1]).all(axis=1)
        sure = (got.scores.max(axis=1).reshape(shape) >= 0.9).all(axis=1)
        is_unknown = (got.labels.reshape(shape) == "unknown").all(axis=1)
        of_label = same & sure & ~is_unknown
        yield {
            "phased": phase, "people": new.n_samples, "unknown": float(is_unknown.mean()),
            "one_sure_label": float(of_label.mean()), "of_about_half": int(half.sum()),
            "of_half_unknown": float(is_unknown[half].mean()), "of_half_one_sure_label": float(of_label[half].mean()),
            "their_labels": Counter(got.labels.reshape(shape)[half & of_label, 0].tolist()),
        }  # fmt: skip


def missing(folder: Path, name: str, seed: int):
    panel = read(folder, name)
    model, test = trained(panel, seed)
    rng = np.random.default_rng(seed)
    sites = np.sort(rng.permutation(panel.n_sites)[: panel.n_sites // 2])
    given = {"all": test, "half of the sites": test.select_sites(sites)}
    if isinstance(test, DosagePanel):
        calls = np.where(rng.random(test.dosages.shape) < 0.5, test.dosages, MISSING)
        given["half of the calls"] = DosagePanel(calls, test.variants, test.samples, test.populations)
    truth = np.repeat(test.labels(LEVEL), 2 // model.ploidy)
    place = np.searchsorted(model.labels, truth.tolist())
    for what, people in given.items():
        got = hl.classify_panel(people, model, min_coverage=0.3)
        right, is_unknown = got.scores.argmax(axis=1) == place, got.labels == "unknown"
        sets = label_sets(got.scores, model.arrays["sets.thresholds"])  # of unknown people too
        yield {
            "given": what, "accuracy": float(right.mean()),
            "calibration_error": expected_calibration_error(got.scores, right),
            "coverage": float(sets[np.arange(len(place)), place].mean()), "set_size": float(sets.sum(axis=1).mean()),
            "falsely_unknown": float(is_unknown.mean()),
            "falsely_unknown_of_label": {label: float(is_unknown[truth == label].mean()) for label in model.labels},
            "people": test.n_samples,
        }  # fmt: skip


def errors(folder: Path, name: str, seed: int):
    panel = read(folder, name)
    model, test = trained(panel, seed)
    truth, rng, alleles = test.labels(LEVEL, per="haplotype"), np.random.default_rng(seed), test.alleles()
    changed = {f"{share} of alleles turned": alleles ^ (rng.random(alleles.shape) < share) for share in WRONG}
    changed |= {f"phase changes every {mb} Mb": with_switches(test, mb, rng) for mb in SWITCH_MB}
    for what, here in changed.items():
        people = Panel.from_alleles(here.astype(np.uint8), test.variants, test.samples, test.populations)
        got = hl.classify_panel(people, model)
        top = np.array(got.classes)[got.scores.argmax(axis=1)]
        yield {
            "errors": what, "accuracy": float((top == truth).mean()),
            "falsely_unknown": float((got.labels == "unknown").mean()), "people": test.n_samples,
        }  # fmt: skip


def with_switches(panel: Panel, mb: float, rng: np.random.Generator) -> np.ndarray:
    """The alleles, the two haplotypes of a person exchanged from random places on, every `mb` on the mean."""
    gap_mb = np.diff(panel.variants.position_bp, prepend=panel.variants.position_bp[:1]) / 1e6
    switches = rng.random((panel.n_samples, panel.n_sites)) < -np.expm1(-gap_mb / mb)
    crossed = (np.cumsum(switches, axis=1) % 2).astype(bool)[:, None]
    pairs = panel.alleles().reshape(panel.n_samples, 2, panel.n_sites)
    return np.where(crossed, pairs[:, ::-1], pairs).reshape(-1, panel.n_sites)


def read(folder: Path, name: str) -> Panel | DosagePanel:
    selection = hl.Selection(populations=folder / "populations.tsv")
    unphased = folder / f"{name}.bed"
    phased = folder / f"{name}.vcf.gz"
    return read_dosages(unphased, selection) if unphased.exists() else hl.read_panel(phased, selection)


def trained(panel: Panel | DosagePanel, seed: int):
    """A classifier of the training and validation people, and the test people."""
    split = hl.split_people(panel.samples, panel.labels(LEVEL).tolist(), (0.7, 0.1, 0.2), seed=seed)
    model = train_ancestry(panel, split, LEVEL, maf=0.01, seed=seed)
    return model, panel.select_samples(split.samples("test", panel.samples))


def unknown(panel: Panel | DosagePanel, model: Any) -> float:
    return float((hl.classify_panel(panel, model).labels == "unknown").mean())


def simulated_sister(seed: int) -> Panel:
    import msprime

    size, sites, people = 10_000, 20_000, {"north": 250, "south": 250, "east": 250, "sister": 150}
    history = msprime.Demography()
    for population in (*people, "north_line", "outside", "root"):
        history.add_population(name=population, initial_size=size)
    history.add_population_split(time=APART_GENERATIONS, derived=["north", "sister"], ancestral="north_line")
    history.add_population_split(time=1500, derived=["north_line", "east"], ancestral="outside")
    history.add_population_split(time=2500, derived=["outside", "south"], ancestral="root")
    trees = msprime.sim_ancestry(
        people, demography=history, sequence_length=50e6, recombination_rate=1e-8, random_seed=seed
    )
    trees = msprime.sim_mutations(trees, rate=2e-9, random_seed=seed, model=msprime.BinaryMutationModel())
    columns, positions = [], []
    for variant in trees.variants():
        alleles = np.minimum(variant.genotypes, 1).astype(np.uint8)
        if 0.01 < alleles.mean() < 0.99:
            columns.append(alleles)
            positions.append(int(variant.site.position) + 1)
    kept = np.sort(np.random.default_rng(seed).permutation(len(columns))[:sites])
    n = len(kept)
    bases = [np.full(n, base) for base in ("1", ".", "A", "C")]
    variants = Variants(bases[0], np.array(positions)[kept], *bases[1:])
    labels = np.repeat(list(people), list(people.values()))
    names = [f"{label}{place}" for place, label in enumerate(labels)]
    return Panel.from_alleles(np.stack([columns[i] for i in kept], axis=1), variants, names, {LEVEL: labels})


TASKS = {"left-out": left_out, "sister": sister, "admixed": admixed, "missing": missing, "errors": errors}

if __name__ == "__main__":
    main()
