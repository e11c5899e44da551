"""Fill the tables of the pages below from the records: everything between two table marks is replaced.

    python benchmarks/tables.py [--check]

A mark is a line `<!-- table: NAME TASK -->`, and `<!-- end -->` ends its table. Of several records of one
measurement the latest counts. --check changes nothing and ends with 1 where a table is not what its records say.
"""

import argparse
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haploom.bench.compress import table
from haploom.bench.records import read_records

PROJECT = Path(__file__).parents[1]
PAGES = tuple(PROJECT / "docs" / name for name in ("benchmarks.md", "costs.md", "models.md"))
RECORDS = PROJECT / "benchmarks" / "records"
_TABLE = re.compile(r"(<!-- table: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

Records = list[dict[str, Any]]


def latest(records: Records, *keys: str) -> Records:
    """The last record of each combination of values, in the order of the first."""
    return list({tuple(record.get(key) for key in keys): record for record in records}.values())


def markdown(rows: list[list[str]]) -> str:
    head, *others = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *others]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}"


def of_task(name: str, *tasks: str) -> Records:
    return [record for record in read_records(RECORDS / name) if record["task"] in tasks]


def compressors(source: str) -> list[list[str]]:
    records = latest(of_task("compress.jsonl", f"compress/{source}"), "tool")
    records.sort(key=lambda record: record["output_bytes"])
    runs = ["runs", *(str(len(record["encode_s"])) for record in records)]
    return [[*row, n] for row, n in zip(table(records), runs)]


def levels(source: str) -> list[list[str]]:
    rows = [["command", "seconds", "times bcftools", "processor s", "times bcftools", "peak MiB", "load"]]
    for step in ("compress", "decompress"):
        for record in latest(of_task("archive-time.jsonl", f"levels/{step}/{source}"), "tool"):
            rows.append([
                f"{step}: {record['tool']}", middle(record["seconds"]), f"{record['times_bcftools']:.2f}",
                middle(record["cpu_seconds"]), f"{record['cpu_times_bcftools']:.2f}",
                f"{max(record['peak_rss_mib']):,.0f}", f"{record['load']}",
            ])  # fmt: skip
    return rows


def sites(source: str) -> list[list[str]]:
    rows = [["sites", "level", "text bytes", "compress s", "peak MiB", "decompress s", "peak MiB"]]
    pairs = (of_task("archive-time.jsonl", f"sites/{step}/{source}") for step in ("compress", "decompress"))
    for packed, unpacked in zip(*(latest(records, "times", "level") for records in pairs)):
        rows.append([
            f"{packed['times']}x", packed["level"], f"{packed['text_bytes']:,}", middle(packed["cpu_seconds"]),
            f"{max(packed['peak_rss_mib']):,.0f}", middle(unpacked["cpu_seconds"]),
            f"{max(unpacked['peak_rss_mib']):,.0f}",
        ])  # fmt: skip
    return rows


def region(source: str) -> list[list[str]]:
    heads = ["all: seconds", "processor s", "region: seconds", "processor s", "of all, seconds", "of all, processor s"]
    rows = [["level", *heads]]
    pairs = (of_task("archive-time.jsonl", f"region/{what}/{source}") for what in ("all", "region"))
    for whole, part in zip(*(latest(records, "level") for records in pairs)):
        share = statistics.median(part["cpu_seconds"]) / statistics.median(whole["cpu_seconds"])
        rows.append([
            whole["level"], *(middle(record[key]) for record in (whole, part) for key in ("seconds", "cpu_seconds")),
            f"{part['of_full_time']:.3f}", f"{share:.3f}",
        ])  # fmt: skip
    return rows


def haplotypes(_: str) -> list[list[str]]:
    heads = ["level", "sites", "whole bytes", "bytes a haplotype", "compress ns an allele", "decompress ns an allele"]
    rows = [["haplotypes", *heads]]
    pairs = (of_task("archive-time.jsonl", f"haplotypes/{step}") for step in ("compress", "decompress"))
    for packed, unpacked in zip(*(latest(records, "haplotypes", "level") for records in pairs)):
        n_alleles = packed["haplotypes"] * packed["sites"]
        rows.append([
            f"{packed['haplotypes']:,}", packed["level"], f"{packed['sites']:,}", f"{packed['total_bytes']:,}",
            f"{packed['bytes_per_haplotype']:.2f}",
            *(f"{statistics.median(r['cpu_seconds']) / n_alleles * 1e9:.1f}" for r in (packed, unpacked)),
        ])  # fmt: skip
    return rows


def code_lengths(source: str) -> list[list[str]]:
    rows = [["model", "bits per site", "stored", "model bytes", "parameters", "epochs", "training s"]]
    records = latest(of_task("code-length.jsonl", f"code-length/{source}"), "method")
    for record in sorted(records, key=lambda record: record["bits_per_site"]):
        stored, n_bytes, n_parameters, n_epochs, seconds = (
            record.get(key)
            for key in ("stored_bits_per_site", "model_bytes", "parameters", "epochs_run", "train_seconds")
        )
        if isinstance(n_epochs, dict):  # of a network for each label
            n_epochs = max(n_epochs.values())
        rows.append([
            record["method"], f"{record['bits_per_site']:.4f}", "" if stored is None else f"{stored:.4f}",
            *("" if value is None else f"{value:,.0f}" for value in (n_bytes, n_parameters, n_epochs, seconds)),
        ])  # fmt: skip
    return rows


COST_FIELDS = {
    "time": ("cpu_seconds", "{:,.0f}", 1),
    "memory": ("peak_rss_mib", "{:,.0f}", 1),
    "disk": ("bytes", "{:,.2f}", 1e6),
}
BIOBANK_PEOPLE, CHROMOSOMES = 500_000, 22


def costs(what: str) -> list[list[str]]:
    """A row for each number of people, a column for each command."""
    key, shown, unit = COST_FIELDS[what]
    of: dict[int, dict[str, Any]] = {}
    for record in latest(of_task("costs.jsonl", "costs"), "people", "step"):
        if record[key] is not None:
            of.setdefault(record["people"], {})[record["step"]] = shown.format(record[key] / unit)
    steps = list(of[min(of)])
    return [["people", *steps], *([f"{people:,}", *(of[people][step] for step in steps)] for people in sorted(of))]


def biobank(_: str) -> list[list[str]]:
    """The largest number of people measured, multiplied."""
    records = latest(of_task("costs.jsonl", "costs"), "people", "step")
    most = max(record["people"] for record in records)
    measured = {record["step"]: record for record in records if record["people"] == most}
    people = BIOBANK_PEOPLE / most
    rows = [["command", "runs", "measured", "times", "processor hours", "peak GiB of one run", "GB on disk, all"]]
    hours_in_all = bytes_in_all = 0.0
    for step in ("compress", "verify", "train vae", "train ancestry", "embed", "classify"):
        record, n_runs = measured[step], CHROMOSOMES
        runs, longer = (f"{CHROMOSOMES} models", 1.0) if "train" in step else (f"{CHROMOSOMES} files", people)
        hours, n_bytes = record["cpu_seconds"] * n_runs * longer / 3600, (record["bytes"] or 0) * n_runs * longer
        hours_in_all, bytes_in_all = hours_in_all + hours, bytes_in_all + n_bytes
        rows.append([
            step, runs, f"{record['cpu_seconds']:,.0f} s", f"{n_runs * longer:,.0f}",
            f"{hours:,.1f}", f"{record['peak_rss_mib'] / 1024:.1f}", f"{n_bytes / 1e9:,.1f}" if n_bytes else "",
        ])  # fmt: skip
    return [*rows, ["all", "", "", "", f"{hours_in_all:,.1f}", "", f"{bytes_in_all / 1e9:,.1f}"]]


TABLES: dict[str, Callable[[str], list[list[str]]]] = {
    "compressors": compressors, "levels": levels, "sites": sites, "region": region, "haplotypes": haplotypes,
    "code-lengths": code_lengths, "costs": costs, "biobank": biobank,
}  # fmt: skip


def filled(page: str) -> str:
    return _TABLE.sub(lambda mark: mark[1] + markdown(TABLES[mark[2]](mark[3])) + mark[4], page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    texts = {page: page.read_text() for page in PAGES}
    if check:
        raise SystemExit(int(any(filled(text) != text for text in texts.values())))
    for page, text in texts.items():
        page.write_text(filled(text))


if __name__ == "__main__":
    main()
