"""Code length and imputation of the copying model and of independent sites on held-out people.

    python benchmarks/li_stephens.py DATA_FOLDER [chr22-whole chr22-dense simulated] [--threads N]

`simulated` is the coalescent panel as it is by default (7 populations, 10,000 sites, 1 cM per Mb).
People are split 70/10/20 by person, stratified by superpopulation (simulated: population), seed 1. Sites: above 1 %
minor-allele frequency among the training people, who are the reference; rates are fitted on validation people;
figures are of the test people. Imputation: every second of these sites is untyped. Appends one JSON line a model to
records/li-stephens.jsonl.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import haploom as hl
from haploom.baselines.independent_sites import IndependentSites
from haploom.baselines.li_stephens import LiStephens
from haploom.bench.impute import r2_by_frequency
from haploom.bench.records import append_records
from haploom.panel import PARTS
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "li-stephens.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=["chr22-whole", "chr22-dense", "simulated"])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    genetic_map = hl.read_genetic_map(arguments.folder / "chr22.b37.gmap.gz")
    for name in arguments.names:
        if name == "simulated":
            panel, level = hl.simulate_panel(), "population"
        else:
            selection = hl.Selection(populations=arguments.folder / "populations.tsv")
            panel, level = hl.read_panel(arguments.folder / f"{name}.vcf.gz", selection), "superpopulation"
        split = hl.split_people(panel.samples, panel.labels(level).tolist(), fractions=(0.7, 0.1, 0.2), seed=1)
        parts = {part: panel.select_samples(split.samples(part, panel.samples)) for part in PARTS}
        common = parts["train"].minor_allele_frequencies() > 0.01
        train, validation, test = (parts[part].select_sites(common) for part in PARTS)
        alleles = test.alleles()
        untyped = np.arange(train.n_sites) % 2 == 1
        labels = {"labels": test.labels(level, per="haplotype")}
        models: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
            ("li-stephens, 1 cM per Mb", LiStephens(threads=arguments.threads), {"validation": validation}, {}),
            ("independent sites", IndependentSites(), {}, {}),
            ("independent sites of each population", IndependentSites(),
             {"labels": train.labels(level, per="haplotype")}, labels),
        ]  # fmt: skip
        if name != "simulated":
            mapped = LiStephens(genetic_map=genetic_map, threads=arguments.threads)
            models.insert(0, ("li-stephens, genetic map", mapped, {"validation": validation}, {}))
        for model_name, model, fitted_with, called_with in models:
            times = [time.perf_counter()]
            model.fit(train, **fitted_with)
            times.append(time.perf_counter())
            nats = -model.log_likelihood(alleles, **called_with)
            times.append(time.perf_counter())
            imputed = model.impute(alleles, ~untyped, **called_with)[:, untyped]
            times.append(time.perf_counter())
            bits = nats.reshape(-1, 2).mean(axis=1) / np.log(2) / train.n_sites  # of each person
            record = {
                "task": f"li-stephens/{name}",
                "model": model_name,
                "sites": train.n_sites,
                "reference_haplotypes": train.n_haplotypes,
                "test_haplotypes": test.n_haplotypes,
                "bits_per_site": round(float(bits.mean()), 5),
                "standard_error": round(float(bits.std(ddof=1) / np.sqrt(len(bits))), 5),
                "nats_per_haplotype": round(float(nats.mean()), 3),
                "bits_per_site_by_population": {
                    label: round(float(bits[test.labels(level) == label].mean()), 5)
                    for label in sorted(set(test.labels(level).tolist()))
                },
                "imputation": r2_by_frequency(
                    alleles[0::2, untyped] + alleles[1::2, untyped],
                    imputed[0::2] + imputed[1::2],
                    train.minor_allele_frequencies()[untyped],
                ),
                "switches_per_cm": getattr(model, "switches_per_cm_", None),
                "mismatch": getattr(model, "mismatch_", None),
                "fit_s": round(times[1] - times[0], 2),
                "likelihood_s": round(times[2] - times[1], 2),
                "impute_s": round(times[3] - times[2], 2),
                "threads": arguments.threads,
                "seed": 1,
                "versions": package_versions(),
            }
            append_records(RECORDS, [record])
            print(
                name,
                model_name,
                record["bits_per_site"],
                [each["mean_r2"] for each in record["imputation"]],
                flush=True,
            )


if __name__ == "__main__":
    main()
