"""What `haploom audit` says of each way to make people, by the commands that a user would type.

    python benchmarks/audit_generators.py DATA_FOLDER [METHOD ...] [--seed N] [--threads N]

chr22-dense, people split 80/5/15 by person, stratified by superpopulation; sites above 1 % minor-allele frequency
among the training people; 110 people of each superpopulation, more than are held out of any. `held-out people` are the
validation part: real people whom no generator learned from (they chose the epoch of networks). Borders are those of the
autoregressive model's windows of 32 sites.
Works in ./audit-generators, where models and what was made are kept. Appends a JSON line a method to
records/audit-generators.jsonl: the gates that failed, and every figure beside that of real people and its gate.
"""

import argparse
import json
from pathlib import Path

from haploom.bench.processes import run_measured
from haploom.bench.records import append_records
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "audit-generators.jsonl"
PEOPLE, MAF, WINDOW, FRACTIONS = 110, 0.01, 32, "0.8,0.05,0.15"
# How a model is trained, if there is one, and how people are made of it, or of the training people.
METHODS: dict[str, tuple[str | None, str]] = {
    "held-out people": (None, ""),
    "autoregressive": ("--kind autoregressive --by-label", "-m autoregressive.model"),
    "cvae, as the paper": ("--kind cvae", "-m cvae.model --latents prior"),
    "cvae": ("--kind cvae", "-m cvae.model"),
    "cvae, sampled": ("--kind cvae", "-m cvae.model --sampled"),
    "mosaic": (None, "--from {people} --part train --method mosaic"),
    "copying": (None, "--from {people} --part train --method copying"),
    "independent": (None, "--from {people} --part train --method independent"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("methods", nargs="*", default=list(METHODS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    data = arguments.folder.absolute()
    work = Path("audit-generators")
    work.mkdir(exist_ok=True)
    labels, source = data / "populations.tsv", data / "chr22-dense.vcf.gz"
    seeded = f"--seed {arguments.seed}"
    people = f"{source} --populations {labels} --label superpopulation --split split.tsv --maf {MAF}"
    if not (work / "split.tsv").exists():
        run_measured(
            f"haploom split {source} --populations {labels} --label superpopulation --fractions {FRACTIONS} {seeded} "
            "-o split.tsv", work,
        )  # fmt: skip
    for method in arguments.methods:
        trained, made = METHODS[method]
        if trained is not None:
            model = made.split()[1]
            if not (work / model).exists():
                run_measured(
                    f"haploom train {people} {trained} {seeded} --threads {arguments.threads} -o {model}", work
                )  # fmt: skip
        threads = f"{seeded} --threads {arguments.threads} --force"
        if made:
            run_measured(f"haploom synthesize {made.format(people=people)} -n {PEOPLE} {threads} -o made.vcf.gz", work)
        else:
            run_measured(f"haploom convert {people} --part validation --force -o made.vcf.gz", work)
        beside = "--populations made.populations.tsv " if made else ""
        # 4 where a gate fails, which is what is asked; the shell's `exec` of `run_measured` wants one program.
        run_measured(
            f"sh -c 'haploom audit made.vcf.gz --train {source} --holdout {source} {beside}"
            f"{people.partition(' ')[2]} --window {WINDOW} {threads} -o audit || test $? = 4'", work,
        )  # fmt: skip
        found = json.loads((work / "audit" / "audit.json").read_text())
        measures = {name: each for name, each in found.items() if isinstance(each, dict) and "passed" in each}
        record = {
            "benchmark": "audit-generators", "method": method, "seed": arguments.seed, "passed": found["passed"],
            "measures": len(measures), "failed": [name for name, each in measures.items() if not each["passed"]],
            "figures": {name: [each["value"], each["reference"], each["threshold"]] for name, each in measures.items()},
            "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print({name: record[name] for name in ("method", "passed", "failed")}, flush=True)


if __name__ == "__main__":
    main()
