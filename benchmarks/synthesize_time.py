"""What `haploom synthesize` costs: seconds and peak memory of whole commands, from 1,000 haplotypes up.

    python benchmarks/synthesize_time.py [--haplotypes 1000,10000] [--threads N] [--sources ...] [--outputs ...]

20,000 sites of 300 simulated people of two populations; an autoregressive model by label trained for one epoch (what
it costs to draw from does not depend on how long it learned) and a mosaic. Half of the haplotypes are of each
population. Works in ./synthesize-time. Appends a JSON line a command to records/synthesize-time.jsonl. On a machine
where other work runs, processor seconds count: the wall's tell what else ran.
"""

import argparse
from pathlib import Path

import haploom as hl
from haploom.bench.processes import cpu_name, run_measured
from haploom.bench.records import append_records
from haploom.io import write_populations
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "synthesize-time.jsonl"
SITES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--haplotypes", default="1000,10000")
    parser.add_argument("--sources", default="autoregressive,mosaic")
    parser.add_argument("--outputs", default="out.h5,out.vcf.gz")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    folder = Path("synthesize-time")
    folder.mkdir(exist_ok=True)
    if not (folder / "20k.model").exists():
        prepare(folder)
    sources = {"autoregressive": "-m 20k.model", "mosaic": "--from panel.h5"}
    for source in arguments.sources.split(","):
        for haplotypes in map(int, arguments.haplotypes.split(",")):
            for output in arguments.outputs.split(","):
                run = run_measured(
                    f"haploom synthesize {sources[source]} -n {haplotypes // 4} --threads {arguments.threads} "
                    f"--force -o {output}", folder,
                )  # fmt: skip
                record = {
                    "benchmark": "synthesize-time", "source": source, "haplotypes": haplotypes, "sites": SITES,
                    "output": output, "bytes": (folder / output).stat().st_size, **run._asdict(),
                    "threads": arguments.threads, "cpu": cpu_name(), "versions": package_versions(),
                }  # fmt: skip
                append_records(RECORDS, [record])
                print(record, flush=True)


def prepare(folder: Path) -> None:
    panel = hl.simulate_panel(people={"AFR": 150, "EUR": 150}, sites=SITES, min_count=3, seed=2)
    hl.write_panel(panel, folder / "panel.h5")
    write_populations(folder / "panel.tsv", panel.samples, panel.populations)
    split = hl.split_people(panel.samples, panel.labels("population").tolist(), seed=1)
    trained = hl.train_model(
        panel, split, "population", kind="autoregressive", by_label=True, settings={"epochs": 1}, device="cpu"
    )
    hl.write_model(trained.model, folder / "20k.model")


if __name__ == "__main__":
    main()
