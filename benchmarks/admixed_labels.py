"""What `classify` says of people half of one label and half of another: one label, two, or unknown; and proportions.

    python benchmarks/admixed_labels.py [--seeds 1 2 ...]

AFR, EUR and EAS are simulated (20 Mb, 6,000 sites above 1 % minor-allele frequency): 100 people of each are the
reference, 30 others of each the founders. Bred: random mating for 10 generations after AFR and EUR met half and half;
those count whose true share of AFR is within 0.35 and 0.65. First generation: one haplotype of each. Beside them, the
founders of AFR. Appends one JSON line a group and seed to records/admixed-labels.jsonl.

one_sure_label: both haplotypes have the same label, each with a probability of 0.9 or more, and the person is not
unknown. proportion_error: mean absolute difference from the true shares, over people and labels.
A minute a seed on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from local_ancestry import true_labels

import haploom as hl
from haploom.ancestry.local_ancestry import paint_panel
from haploom.ancestry.trusted_training import train_ancestry
from haploom.bench.records import append_records
from haploom.panel import Panel, Split
from haploom.popgen.admixture import Admixture
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "admixed-labels.jsonl"
LABELS = ("AFR", "EAS", "EUR")
REFERENCE, FOUNDERS, BRED, SITES = 100, 30, 100, 6000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    for seed in parser.parse_args().seeds:
        measure(seed)


def measure(seed: int) -> None:
    simulated = hl.simulate_panel(
        people=dict.fromkeys(LABELS, REFERENCE + FOUNDERS), length_bp=20_000_000, min_count=6, seed=seed
    )
    of = simulated.labels("population")
    of_label = {label: [name for name, own in zip(simulated.samples, of) if own == label] for label in LABELS}
    reference = simulated.select_samples([name for each in of_label.values() for name in each[FOUNDERS:]])
    common = np.flatnonzero(reference.minor_allele_frequencies() > 0.01)
    sites = np.sort(np.random.default_rng(seed).choice(common, min(SITES, len(common)), replace=False))
    simulated, reference = simulated.select_sites(sites), reference.select_sites(sites)
    afr, eur = (simulated.select_samples(of_label[label][:FOUNDERS]) for label in ("AFR", "EUR"))
    model = train_ancestry(reference, Split(dict.fromkeys(reference.samples, "train")), "population")

    mixture = Admixture({"AFR": 0.5, "EUR": 0.5}, 10)
    founders = simulated.select_samples([*afr.samples, *eur.samples])
    (bred,) = hl.breed(founders, level="population", size={mixture.label: BRED}, admix=[mixture], seed=seed)
    truth = true_labels(bred, list(LABELS))
    shares = np.stack([(truth == label).mean(axis=1).reshape(-1, 2).mean(axis=1) for label in range(3)], axis=1)
    even = np.flatnonzero(np.abs(shares[:, 0] - 0.5) < 0.15)
    people = bred.panel()
    crossed = afr.alleles()
    crossed[1::2] = eur.alleles()[::2]
    groups = {
        "bred": (people.select_samples([people.samples[i] for i in even]), shares[even]),
        "first generation": (
            Panel.from_alleles(crossed, simulated.variants, afr.samples), np.tile([0.5, 0.0, 0.5], (FOUNDERS, 1)),
        ),
        "AFR": (afr, np.tile([1.0, 0.0, 0.0], (FOUNDERS, 1))),
    }  # fmt: skip
    for group, (panel, true_shares) in groups.items():
        got, painting = hl.classify_panel(panel, model), paint_panel(panel, model)
        labels, sure = got.labels.reshape(-1, 2), (got.scores.max(axis=1).reshape(-1, 2) >= 0.9).all(axis=1)
        unknown, same = labels[:, 0] == "unknown", labels[:, 0] == labels[:, 1]
        record = {
            "benchmark": "admixed_labels", "group": group, "people": panel.n_samples,
            "unknown": round(float(unknown.mean()), 3),
            "two_labels": round(float((~same).mean()), 3),
            "one_sure_label": round(float((same & sure & ~unknown).mean()), 3),
            "mean_proportions": dict(zip(LABELS, painting.proportions.mean(axis=0).round(3).tolist())),
            "proportion_error": round(float(np.abs(painting.proportions - true_shares).mean()), 4),
            "sites": len(sites), "seed": seed, "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print(record, flush=True)


if __name__ == "__main__":
    main()
