"""Local ancestry and proportions of bred admixed people, against the truth, beside a window classifier with an HMM.

    python benchmarks/local_ancestry.py [--sites N] [--reference N] [--people N] [--seeds 1 2 ...] [--threads N]

50 Mb at 1 cM per Mb are simulated (`simulate_panel`); of the sites above 1 % minor-allele frequency among the reference
people, N are taken at random. 100 people of each label are founders of the admixed people (`breed`, 100 a generation),
others are the reference. Two mixtures: AFR 0.8 and EUR 0.2 eight generations ago, EUR and WAS half and half twenty
generations ago. Appends one JSON line a mixture, seed and method to records/local_ancestry.jsonl.

accuracy: share of sites whose likeliest label is the founder's. proportion_error: mean over people of the absolute
difference between the estimated and the true share of the first label, over sites. unphased: the EM over label
frequencies, which sees dosages alone.
Five minutes a seed on one core with the sizes below.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.ancestry.local_ancestry import paint_panel
from haploom.ancestry.proportions import mixture_proportions
from haploom.ancestry.trusted_training import train_ancestry
from haploom.baselines.window_logistic import WindowLogistic
from haploom.bench.records import append_records
from haploom.panel import DosagePanel, Panel, Split
from haploom.popgen.admixture import Admixture
from haploom.popgen.breeding import Generation
from haploom.popgen.tracks import ancestry_tracks
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "local_ancestry.jsonl"
LABELS = ("AFR", "EUR", "WAS")
MIXTURES = ("AFR=0.8,EUR=0.2@8", "EUR=0.5,WAS=0.5@20")
LENGTH_BP = 50_000_000
FOUNDERS = 100
BRED = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=19_000)
    parser.add_argument("--reference", type=int, default=200, help="people of each label")
    parser.add_argument("--people", type=int, default=BRED, help="admixed people measured, of the 100 bred")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        simulated = simulated_people(arguments.reference, seed)
        for mixture in MIXTURES:
            measure(simulated, Admixture.parse(mixture), arguments, seed)


def simulated_people(reference_people: int, seed: int) -> Panel:
    """Of each label FOUNDERS and then so many reference people, with every site above 1 %."""
    people = FOUNDERS + reference_people
    counts = dict.fromkeys(LABELS, people)
    return hl.simulate_panel(people=counts, length_bp=LENGTH_BP, min_count=people * 6 // 100, seed=seed)


def reference_and_bred(simulated: Panel, mixture: Admixture, n_sites: int, seed: int) -> tuple[Panel, Generation]:
    """The reference people and the admixed ones, at the same sites."""
    of = simulated.labels("population")
    of_label = [[name for name, own in zip(simulated.samples, of) if own == label] for label in mixture.proportions]
    reference = simulated.select_samples([name for each in of_label for name in each[FOUNDERS:]])
    founders = simulated.select_samples([name for each in of_label for name in each[:FOUNDERS]])
    common = np.flatnonzero(reference.minor_allele_frequencies() > 0.01)
    sites = np.sort(np.random.default_rng(seed).choice(common, min(n_sites, len(common)), replace=False))
    (bred,) = hl.breed(
        founders.select_sites(sites), level="population", size={mixture.label: BRED}, admix=[mixture], seed=seed
    )
    return reference.select_sites(sites), bred


def measure(simulated: Panel, mixture: Admixture, arguments: argparse.Namespace, seed: int) -> None:
    labels = list(mixture.proportions)
    reference, bred = reference_and_bred(simulated, mixture, arguments.sites, seed)
    admixed, truth = bred.panel(slice(arguments.people)), true_labels(bred, labels)[: 2 * arguments.people]

    everyone = Split(dict.fromkeys(reference.samples, "train"))
    start = time.perf_counter()
    model = train_ancestry(reference, everyone, "population", threads=arguments.threads)
    fitted = time.perf_counter()
    painting = paint_panel(admixed, model, threads=arguments.threads)
    painted = time.perf_counter()
    of_sites = np.empty(truth.shape, dtype=np.int64)
    segments = painting.segments
    for row, label, n_sites, first in zip(
        segments.haplotype, segments.label, segments.sites, first_sites(segments.haplotype, segments.sites)
    ):
        of_sites[row, first : first + n_sites] = label
    shares = painting.proportions
    found = {"copying and HMM": (of_sites, shares, fitted - start, painted - fitted)}

    start = time.perf_counter()
    windows = WindowLogistic(generations=mixture.generations).fit(
        reference, reference.labels("population", per="haplotype")
    )
    fitted = time.perf_counter()
    of_windows = windows.predict_proba(admixed)[:, :, [windows.classes_.tolist().index(label) for label in labels]]
    of_people = of_windows.mean(axis=1).reshape(-1, 2, len(labels)).mean(axis=1)
    found["logistic windows and HMM"] = (
        of_windows.argmax(axis=2), of_people, fitted - start, time.perf_counter() - fitted,
    )  # fmt: skip

    start = time.perf_counter()
    unphased = train_ancestry(DosagePanel.from_panel(reference), everyone, "population")
    fitted = time.perf_counter()
    shares = mixture_proportions(DosagePanel.from_panel(admixed), unphased).proportions
    found["unphased"] = (None, shares, fitted - start, time.perf_counter() - fitted)

    true_shares = (truth == 0).mean(axis=1).reshape(-1, 2).mean(axis=1)
    for method, (of_sites, shares, fit_s, use_s) in found.items():
        record = {
            "benchmark": "local_ancestry", "mixture": f"{mixture.label}@{mixture.generations}", "method": method,
            "accuracy": None if of_sites is None else round(float((of_sites == truth).mean()), 4),
            "proportion_error": round(float(np.abs(shares[:, 0] - true_shares).mean()), 4),
            "sites": reference.n_sites, "reference_people": arguments.reference, "people": arguments.people,
            "seed": seed, "fit_seconds": round(fit_s, 1), "seconds": round(use_s, 1), "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print(record, flush=True)


def first_sites(haplotype: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Place of each stretch's first site on its haplotype."""
    before = np.cumsum(sites) - sites
    return before - before[np.searchsorted(haplotype, haplotype)]


def true_labels(bred: Generation, labels: list[str]) -> np.ndarray:
    """Place among `labels` of the founder at each site: int64 (n_haplotypes, n_sites)."""
    of_founder = np.array([labels.index(label) for label in bred.founders.labels("population", per="haplotype")])
    return of_founders(bred, np.broadcast_to(of_founder[:, None], (len(of_founder), bred.founders.n_sites)))


def of_founders(bred: Generation, values: np.ndarray) -> np.ndarray:
    """What each haplotype has of its founder at each site. values: (n_founder_haplotypes, n_sites)."""
    tracks, position_bp = ancestry_tracks(bred), bred.founders.variants.position_bp
    out = np.empty((2 * len(bred.samples), len(position_bp)), dtype=values.dtype)
    begins = np.searchsorted(position_bp, tracks.start_bp)
    ends = np.searchsorted(position_bp, tracks.end_bp, side="right")
    for row, begin, end, founder in zip(tracks.haplotype, begins, ends, tracks.founder):
        out[row, begin:end] = values[founder, begin:end]
    return out


if __name__ == "__main__":
    main()
