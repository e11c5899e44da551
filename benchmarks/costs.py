"""What each task costs by people: processor seconds, peak memory and disk of whole commands, for docs/costs.md.

    python benchmarks/costs.py [--people 144,715] [--sites 100000] [--threads 2]

Simulates so many people of each of seven populations in ./costs, stores and checks them, trains a VAE (three epochs)
and the ancestry classifier on 72 people of each population at common sites, and places and labels everybody else.
Appends a JSON line a command to records/costs.jsonl. 32,004 people (4572) take 20 minutes of processors, 1,008 take 5.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from haploom.bench.processes import cpu_name, run_measured
from haploom.bench.records import append_records
from haploom.io import read_populations
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "costs.jsonl"
REFERENCE = 72  # people of each population that models learn from
EPOCHS = 3
# Step -> its command, and the file whose bytes it adds.
STEPS = {
    "simulate": ("simulate --people {people} --sites {sites} --seed 3 --force -o big.bcf", "big.bcf"),
    "compress": ("compress big.bcf --level fast --no-verify --force -o big.hlm {threads}", "big.hlm"),
    "verify": ("verify big.hlm {threads}", None),
    "train vae": ("train big.bcf {learn} --kind vae --epochs {epochs} -o vae.model {threads}", "vae.model"),
    "embed": ("embed big.bcf --model vae.model -S ^reference.txt --force -o latents.tsv {threads}", "latents.tsv"),
    "train ancestry": ("train big.bcf {learn} --kind ancestry -o ancestry.model {threads}", "ancestry.model"),
    "classify": (
        "classify big.bcf --model ancestry.model -S ^reference.txt --force -o labels.tsv {threads}",
        "labels.tsv",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default="144,715", help="of each population")
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    folder = Path("costs")
    folder.mkdir(exist_ok=True)
    for people in map(int, arguments.people.split(",")):
        given = {
            "people": people, "sites": arguments.sites, "epochs": EPOCHS, "threads": f"--threads {arguments.threads}",
            "learn": "--populations big.populations.tsv -S reference.txt --maf 0.05 --force",
        }  # fmt: skip
        for step, (command, output) in STEPS.items():
            typed = f"haploom {command.format(**given)}"
            run = run_measured(typed, folder)
            if step == "simulate":
                write_reference(folder)
            record = {
                "task": "costs", "step": step, "people": 7 * people, "sites": arguments.sites, "command": typed,
                "bytes": (folder / output).stat().st_size if output else None, **run._asdict(),
                "threads": arguments.threads, "cpu": cpu_name(), "versions": package_versions(),
            }  # fmt: skip
            append_records(RECORDS, [record])
            print(step, run, flush=True)


def write_reference(folder: Path) -> None:
    """The first people of each population."""
    of = defaultdict(list)
    for name, labels in read_populations(folder / "big.populations.tsv").labels.items():
        of[labels["population"]].append(name)
    chosen = [name for people in of.values() for name in people[:REFERENCE]]
    (folder / "reference.txt").write_text("\n".join(chosen) + "\n")


if __name__ == "__main__":
    main()
