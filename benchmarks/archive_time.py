"""Time and memory of whole `haploom` commands beside bcftools on the same text: levels, growing files, one region.

    python benchmarks/archive_time.py levels IN.vcf.gz [--repeats 3] [--threads 2]
    python benchmarks/archive_time.py sites IN.vcf.gz         its records once, twice and four times over
    python benchmarks/archive_time.py region IN.vcf.gz --region 22:51000000-51010000 --samples HG00096,HG00097
    python benchmarks/archive_time.py region --simulate       300,000 sites x 2,000 people
    python benchmarks/archive_time.py haplotypes              simulated panels of 1k, 4k, 16k and 64k haplotypes

Every run is a process of its own; commands that are compared take turns, after a first turn that warms the page
cache and the kernels' cache and does not count. Appends JSON lines to benchmarks/records/archive-time.jsonl, with the
load of the machine at the end. Memory is the peak of one process. Simulations need the extra `simulate`.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haploom.archive import open_archive
from haploom.bench.processes import Run, cpu_name, run_measured
from haploom.bench.records import append_records

PROJECT = Path(__file__).parents[1]
RECORDS = Path(__file__).parent / "records" / "archive-time.jsonl"
HAPLOOM = (
    f"{sys.executable} -c 'import sys; sys.path.insert(0, \"{PROJECT}/src\"); from haploom.cli import main; main()'"
)
SEED = 1


def take_turns(commands: dict[str, str], folder: Path, repeats: int) -> dict[str, list[Run]]:
    """Run all commands in turn, once more than is counted."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            run = run_measured(command.replace("haploom ", f"{HAPLOOM} ", 1), folder)
            if turn:
                runs[name].append(run)
    return runs


def record(task: str, command: str, runs: list[Run], threads: int, **about: Any) -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    return {
        "task": task, "command": command, "seconds": [run.seconds for run in runs],
        "cpu_seconds": [run.cpu_seconds for run in runs],
        "peak_rss_mib": [run.peak_rss_mib for run in runs], **about, "threads": threads,
        "load": round(os.getloadavg()[0], 1), "cpu": cpu_name(), "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or None,
    }  # fmt: skip


def plain_text(source: Path, folder: Path) -> Path:
    """The text of a VCF as a plain file."""
    path = folder / "in.vcf"
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return path


def same(one: Path, other: Path) -> bool:
    return subprocess.run(["cmp", "--silent", one, other]).returncode == 0


def median(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def cpu_median(runs: list[Run]) -> float:
    return statistics.median(run.cpu_seconds for run in runs)


def levels(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Compress, with and without the check, and decompress, beside bcftools to BCF and back."""
    plain_text(args.vcf, folder)
    threads = f"--threads {args.threads}"
    pack = {"bcftools": f"bcftools view --no-version -Ob -l6 {threads} in.vcf -o out.bcf"}
    unpack = {"bcftools": f"bcftools view --no-version {threads} out.bcf -o back.bcftools"}
    for level in args.levels.split(","):
        base = f"haploom compress in.vcf -o {level}.hlm --level {level} --force {threads}"
        pack |= {f"{level}, not verified": f"{base} --no-verify", f"{level}, verified": base}
        unpack[level] = f"haploom decompress {level}.hlm -o {level}.vcf --force {threads}"
    for step, commands in (("compress", pack), ("decompress", unpack)):
        runs = take_turns(commands, folder, args.repeats)
        for name, command in commands.items():
            about = {
                "tool": name, "times_bcftools": round(median(runs[name]) / median(runs["bcftools"]), 2),
                "cpu_times_bcftools": round(cpu_median(runs[name]) / cpu_median(runs["bcftools"]), 2),
            }  # fmt: skip
            if step == "decompress" and name != "bcftools":
                about["verified"] = same(folder / "in.vcf", folder / f"{name}.vcf")
            yield record(f"levels/{step}/{args.vcf.name}", command, runs[name], args.threads, **about)


def sites(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """The records of a file once, twice and four times, each time further along the contig."""
    text = plain_text(args.vcf, folder)
    for times in (1, 2, 4):
        with (folder / "many.vcf").open("wb") as file:
            for copy in range(times):
                with text.open("rb") as lines:
                    for line in lines:
                        if not line.startswith(b"#"):
                            chrom, position, rest = line.split(b"\t", 2)
                            file.write(b"%s\t%d\t%s" % (chrom, int(position) + copy * 10_000_000, rest))
                        elif not copy:
                            file.write(line)
        for level in args.levels.split(","):
            commands = {
                "compress": f"haploom compress many.vcf -o many.hlm --level {level} --force --threads {args.threads}",
                "decompress": f"haploom decompress many.hlm -o back.vcf --force --threads {args.threads}",
            }
            runs = take_turns(commands, folder, args.repeats)
            about = {"times": times, "level": level, "text_bytes": (folder / "many.vcf").stat().st_size}
            about["verified"] = same(folder / "many.vcf", folder / "back.vcf")
            for step, command in commands.items():
                yield record(f"sites/{step}/{args.vcf.name}", command, runs[step], args.threads, **about)


def region(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """One region and a few people with one thread, beside decompressing all, and beside bcftools' answer."""
    name, wanted, people = "300k-sites-x-2k-people", "22:25000000-25010000", "tsk_0,tsk_1"
    if args.simulate:
        simulate(folder / "in.vcf", n_people=2000, sites=300_000, length_bp=50_000_000)
    else:
        plain_text(args.vcf, folder)
        name, wanted, people = args.vcf.name, args.region, args.samples
    for level in args.levels.split(","):
        run_measured(f"{HAPLOOM} compress in.vcf -o out.hlm --level {level} --no-verify --threads 2 --force", folder)
        commands = {
            "all": "haploom decompress out.hlm -o back.vcf --threads 1 --force",
            "region": f"haploom view out.hlm -r {wanted} -s {people} --threads 1 > region.vcf",
        }
        runs = take_turns(commands, folder, args.repeats)
        about = {
            "level": level, "of_full_time": round(median(runs["region"]) / median(runs["all"]), 4),
            "records": sum(not line.startswith("#") for line in (folder / "region.vcf").open()),
            "verified": same(folder / "in.vcf", folder / "back.vcf") and as_bcftools(folder, wanted, people),
        }  # fmt: skip
        for what, command in commands.items():
            yield record(f"region/{what}/{name}", command, runs[what], 1, **about)


def as_bcftools(folder: Path, wanted: str, people: str) -> bool:
    """Whether the records of region.vcf are those that `bcftools view -I -r -s` prints."""
    run_measured("bcftools view --no-version -Ob in.vcf -o in.bcf", folder)
    run_measured("bcftools index in.bcf", folder)
    run_measured(f"bcftools view -I --no-version -H -r {wanted} -s {people} in.bcf > wanted.vcf", folder)
    found = [line for line in (folder / "region.vcf").read_text().splitlines() if not line.startswith("#")]
    return found == (folder / "wanted.vcf").read_text().splitlines()


def haplotypes(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Bytes a haplotype and time an allele as the panel grows: simulated panels of as many sites each."""
    sizes = [int(size) for size in args.sizes.split(",")]
    for n in sizes:
        n_sites = simulate(folder / "in.vcf", n_people=n // 2, sites=args.sites, length_bp=1_000_000)
        for level in args.levels.split(","):
            options = f"--force --threads {args.threads}"
            commands = {
                "compress": f"haploom compress in.vcf -o out.hlm --level {level} --no-verify {options}",
                "decompress": f"haploom decompress out.hlm -o back.vcf {options}",
            }
            runs = take_turns(commands, folder, args.repeats)
            found = open_archive(folder / "out.hlm").describe()
            about = {
                "level": level, "haplotypes": n, "sites": n_sites, "total_bytes": found["total_bytes"],
                "genotype_bytes": found["genotype_bytes"], "bytes_per_haplotype": round(found["total_bytes"] / n, 3),
                "verified": same(folder / "in.vcf", folder / "back.vcf"), "seed": SEED,
            }  # fmt: skip
            for step, command in commands.items():
                ns = round(median(runs[step]) / (n * n_sites) * 1e9, 3)
                yield record(f"haplotypes/{step}", command, runs[step], args.threads, **about, ns_per_allele=ns)


def simulate(path: Path, n_people: int, sites: int, length_bp: int) -> int:
    """Write a neutral coalescent panel with `sites` biallelic SNPs, more thinned evenly; returns how many it has."""
    import msprime

    trees = msprime.sim_ancestry(
        n_people, population_size=10_000, recombination_rate=1e-8, sequence_length=length_bp, random_seed=SEED
    )
    # Watterson: the expected number of sites is 4 N mu L times the harmonic sum; half as many again are asked for.
    harmonic = sum(1 / i for i in range(1, 2 * n_people))
    rate = 1.5 * sites / (4 * 10_000 * length_bp * harmonic)
    mutated = msprime.sim_mutations(trees, rate=rate, model=msprime.BinaryMutationModel(), random_seed=SEED)
    keep = {round(i * (mutated.num_sites - 1) / (sites - 1)) for i in range(sites)}
    unwanted = [site for site in range(mutated.num_sites) if site not in keep]
    thinned = mutated.delete_sites(unwanted) if unwanted else mutated
    with path.open("w") as file:
        header = ["##fileformat=VCFv4.2", f"##contig=<ID=22,length={length_bp}>"]
        header += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
        people = "\t".join(f"tsk_{person}" for person in range(n_people))
        file.write("\n".join([*header, f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{people}\n"]))
        cells = bytearray(b"0|0\t" * n_people)
        cells[-1:] = b"\n"
        for variant in thinned.variants():
            digits = (variant.genotypes > 0).astype("u1") + ord("0")
            cells[::2] = digits.tobytes()
            file.write(f"22\t{int(variant.position) + 1}\t.\tA\tG\t.\tPASS\t.\tGT\t{cells.decode()}")
    return thinned.num_sites


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["levels", "sites", "region", "haplotypes"])
    parser.add_argument("vcf", type=Path, nargs="?")
    parser.add_argument("--levels", default="fast,default")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--region", default="22:51000000-51010000")
    parser.add_argument("--samples", default="HG00096,HG00097")
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--sites", type=int, default=2_000)
    parser.add_argument("--sizes", default="1000,4000,16000,64000")
    args = parser.parse_args()
    if args.vcf is None and not (args.simulate or args.what == "haplotypes"):
        parser.error("name a VCF")
    work = {"levels": levels, "sites": sites, "region": region, "haplotypes": haplotypes}[args.what]
    with tempfile.TemporaryDirectory() as folder:
        for found in work(args, Path(folder)):
            print(json.dumps(found), flush=True)
            append_records(RECORDS, [found])


if __name__ == "__main__":
    main()
