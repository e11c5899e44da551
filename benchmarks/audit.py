"""The audit's controls on real people, and what an audit costs.

    python benchmarks/audit.py controls DATA_FOLDER [chr22-dense chr22-whole] [--maf 0.01] [--seeds 1 2 3] [--threads N]
    python benchmarks/audit.py speed [--people 5000 4000 3000] [--sites 20000] [--threads 2]

controls: people split 60/20/20 by person, stratified by superpopulation; sites above `--maf` among the training
people. Audited are held-out people (the validation part, which must pass), the training people as they are and drawn
again (which must fail privacy), and alleles drawn site by site at the training people's frequencies in each population
(which must fail fidelity). speed: simulated people, as synthetic, training and held-out ones, in VCF; the command is
measured whole. Appends one JSON line an audit to records/audit.jsonl.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.bench.processes import cpu_name, run_measured
from haploom.bench.records import append_records
from haploom.io import write_populations
from haploom.panel import PARTS
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "audit.jsonl"
LEVEL = "superpopulation"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    controls = commands.add_parser("controls")
    controls.add_argument("folder", type=Path)
    controls.add_argument("files", nargs="*", default=["chr22-dense", "chr22-whole"])
    controls.add_argument("--maf", type=float, default=0.01)
    controls.add_argument("--seeds", type=int, nargs="+", default=[1])
    controls.add_argument("--threads", type=int, default=1)
    controls.set_defaults(run=measure_controls)
    speed = commands.add_parser("speed")
    speed.add_argument("--people", type=int, nargs=3, default=[5000, 4000, 3000])
    speed.add_argument("--sites", type=int, default=20_000)
    speed.add_argument("--threads", type=int, default=2)
    speed.set_defaults(run=measure_speed)
    arguments = parser.parse_args()
    arguments.run(arguments)


def measure_controls(arguments: argparse.Namespace) -> None:
    for name in arguments.files:
        selection = hl.Selection(populations=arguments.folder / "populations.tsv")
        panel = hl.read_panel(arguments.folder / f"{name}.vcf.gz", selection)
        for seed in arguments.seeds:
            split = hl.split_people(panel.samples, panel.labels(LEVEL).tolist(), (0.6, 0.2, 0.2), seed)
            train, others, holdout = (panel.select_samples(split.samples(part, panel.samples)) for part in PARTS)
            settings = hl.AuditSettings(maf=arguments.maf, seed=seed, threads=arguments.threads)
            for control, made in (
                ("held-out people", others), ("training people", train),
                ("training haplotypes drawn again", drawn(train, resampled, seed)),
                ("independent sites", drawn(train, independent, seed)),
            ):  # fmt: skip
                start = time.perf_counter()
                found = hl.audit_panels(made, train, holdout, LEVEL, settings)
                record(
                    benchmark="audit controls", task=name, control=control, maf=arguments.maf, sites=found.n_sites,
                    people=list(found.n_people), matched_people=found.n_matched, passed=found.passed,
                    failed=found.failed, seed=seed, seconds=round(time.perf_counter() - start, 1),
                    figures={
                        key: [round(each.value.value, 5), round(each.reference.value, 5)]
                        for key, each in found.measures.items()
                    },
                )  # fmt: skip


def resampled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows[rng.integers(len(rows), size=len(rows))]


def independent(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(rows.shape) < rows.mean(axis=0)).astype(np.uint8)


def drawn(train: hl.Panel, make: Callable[[np.ndarray, np.random.Generator], np.ndarray], seed: int) -> hl.Panel:
    """As many haplotypes of each population as the training people have, made from theirs."""
    rng = np.random.default_rng(seed)
    labels = np.array(train.labels(LEVEL, per="haplotype").tolist())
    made = {label: make(train.alleles(np.flatnonzero(labels == label)), rng) for label in np.unique(labels).tolist()}
    of_people = np.repeat(list(made), [len(rows) // 2 for rows in made.values()])
    names = [f"made{person}" for person in range(len(of_people))]
    return hl.Panel.from_alleles(np.concatenate(list(made.values())), train.variants, names, {LEVEL: of_people})


def measure_speed(arguments: argparse.Namespace) -> None:
    panel = hl.simulate_panel(people=-(-sum(arguments.people) // 7), sites=arguments.sites)
    order = np.random.default_rng(1).permutation(panel.n_samples)
    parts = np.split(order, np.cumsum(arguments.people))[:3]
    with tempfile.TemporaryDirectory() as folder:
        for name, people in zip("SAB", parts):
            hl.write_panel(panel.select_samples([panel.samples[p] for p in np.sort(people)]), f"{folder}/{name}.vcf.gz")
        write_populations(Path(folder) / "labels.tsv", panel.samples, panel.populations)
        gates = "".join(f" --threshold {name}=none" for name in _measures())
        program = f"{sys.executable} -c 'from haploom.cli import main; main()'"
        cost = run_measured(
            f"{program} audit S.vcf.gz --train A.vcf.gz --holdout B.vcf.gz --populations labels.tsv -o out "
            f"--threads {arguments.threads}{gates}",
            Path(folder),
        )
    record(benchmark="audit speed", people=arguments.people, sites=arguments.sites, threads=arguments.threads,
           **cost._asdict(), cpu=cpu_name())  # fmt: skip


def _measures() -> list[str]:
    from haploom.audit.catalogue import MEASURES

    return list(MEASURES)


def record(**figures: object) -> None:
    append_records(RECORDS, [{**figures, "versions": package_versions()}])
    print(figures)


if __name__ == "__main__":
    main()
