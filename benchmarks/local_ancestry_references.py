"""Local ancestry by the number of reference people: EUR and WAS half and half twenty generations ago, as in
local_ancestry.py, on 15 Mb.

    python benchmarks/local_ancestry_references.py [--seeds 3 4 ...]

The same 40 admixed people, bred from 100 people of each label, are painted with the first 100, 200 and 400 of 400 other
people of each; 5,700 sites above 1 % minor-allele frequency among the 400. Copying has the rates that training finds on
such people. Appends one JSON line a number and seed to records/local_ancestry_references.jsonl.
Half a minute a seed on one core.
"""

import argparse
from pathlib import Path

import numpy as np
from local_ancestry import BRED, FOUNDERS, MIXTURES, true_labels

import haploom as hl
from haploom.ancestry.local_ancestry import GENERATIONS
from haploom.ancestry.smoothing import evidence_of, site_shares, smooth_person
from haploom.baselines.copied_label import CopiedLabel
from haploom.baselines.li_stephens import distances_cm
from haploom.bench.records import append_records
from haploom.popgen.admixture import Admixture
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "local_ancestry_references.jsonl"
REFERENCES = (100, 200, 400)
LABELS = ("EUR", "WAS")
PEOPLE, SITES = 40, 5700
RATES = {"switches_per_cm": 3.0, "mismatch": 1 / (1 + 2**12)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[3])
    for seed in parser.parse_args().seeds:
        measure(seed)


def measure(seed: int) -> None:
    most = REFERENCES[-1]
    simulated = hl.simulate_panel(
        people=dict.fromkeys(LABELS, FOUNDERS + most), length_bp=15_000_000, min_count=most * 6 // 100, seed=seed
    )
    of = simulated.labels("population")
    of_label = [[name for name, own in zip(simulated.samples, of) if own == label] for label in LABELS]

    def people(first: int, last: int) -> hl.Panel:
        return simulated.select_samples([name for names in of_label for name in names[first:last]])

    common = np.flatnonzero(people(FOUNDERS, FOUNDERS + most).minor_allele_frequencies() > 0.01)
    sites = np.sort(np.random.default_rng(seed).choice(common, min(SITES, len(common)), replace=False))
    simulated = simulated.select_sites(sites)
    mixture = Admixture.parse(MIXTURES[1])
    (bred,) = hl.breed(
        people(0, FOUNDERS), level="population", size={mixture.label: BRED}, admix=[mixture], seed=seed
    )  # fmt: skip
    alleles, truth = bred.panel(slice(PEOPLE)).alleles(), true_labels(bred, list(LABELS))[: 2 * PEOPLE]
    distance_cm = distances_cm(simulated.variants, None)
    switch, share_cm = -np.expm1(-GENERATIONS * distance_cm / 100), site_shares(distance_cm)
    for n in REFERENCES:
        reference = people(FOUNDERS, FOUNDERS + n).alleles()
        copying = CopiedLabel(reference, np.array([0, 2 * n, 4 * n]), distance_cm, **RATES)
        right, error = [], []
        for rows, copied in copying.blocks(alleles):
            for row in range(0, len(copied), 2):
                found, shares = smooth_person([evidence_of(each, share_cm) for each in copied[row : row + 2]], switch)
                true = truth[rows.start + row : rows.start + row + 2]
                right.append((found.argmax(axis=2) == true).mean())
                error.append(abs(shares[0] - (true == 0).mean()))
        record = {
            "benchmark": "local_ancestry_references", "mixture": f"{mixture.label}@{mixture.generations}",
            "reference_people": n, "accuracy": round(float(np.mean(right)), 4),
            "proportion_error": round(float(np.mean(error)), 4), "sites": len(sites), "people": PEOPLE, "seed": seed,
            "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print({key: value for key, value in record.items() if key != "versions"}, flush=True)


if __name__ == "__main__":
    main()
