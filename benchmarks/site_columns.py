"""Bytes and time of the fixed columns of real files, a column and an INFO key at a time.

    python benchmarks/site_columns.py [chr22-dense.vcf.gz ...]

Names are looked up in the folder of real data (HAPLOOM_DATA, else ../shared/data beside the project). Each file is
coded as one block and in blocks of 8,192 records, with the counts of its superpopulations and without, decoded and
compared. Appends one JSON line each to benchmarks/records/site-columns.jsonl; encode_s and decode_s are seconds of
one thread for the whole file, every repeat.
"""

import gzip
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from read import PROJECT, RECORDS, cpu

from haploom.archive.text.annotations import decode_annotations, encode_annotations
from haploom.archive.text.counts import GenotypeCounts
from haploom.archive.text.info_keys import places_of_keys, split_info
from haploom.archive.text.lines import LineTable
from haploom.archive.text.sites import decode_sites, encode_sites
from haploom.entropy_coding.byte_packing import split_parts
from haploom.io import read_panel
from haploom.io.populations import read_populations

REPEATS = 3
DATA = Path(os.environ.get("HAPLOOM_DATA") or PROJECT.parent / "shared" / "data")


def fixed_columns(source: Path) -> list[list[bytes]]:
    with gzip.open(source, "rb") as lines:
        return [line.split(b"\t", 9)[:9] for line in lines if not line.startswith(b"#")]


def genotype_counts(source: Path, with_groups: bool) -> GenotypeCounts:
    panel = read_panel(source)
    alleles = panel.alleles()
    groups = []
    if with_groups:
        table = read_populations(DATA / "populations.tsv")
        labels = table.columns_for(panel.samples)["superpopulation"]
        for label in sorted(set(labels)):
            rows = np.repeat(labels == label, 2)
            groups.append((label, np.full(panel.n_sites, rows.sum()), alleles[rows].sum(0, dtype=np.int64)[:, None]))
    return GenotypeCounts(
        alleles.sum(0, dtype=np.int64)[:, None],
        np.full(panel.n_sites, panel.n_haplotypes),
        np.full(panel.n_sites, panel.n_samples),
        tuple(groups),
    )


def blocks(
    rows: list[list[bytes]], counts: GenotypeCounts, n_records: int
) -> Iterator[tuple[LineTable, LineTable, GenotypeCounts]]:
    for start in range(0, len(rows), n_records):
        part = slice(start, start + n_records)
        yield (
            LineTable.from_list(b"\t".join(row[:5]) for row in rows[part]),
            LineTable.from_list(b"\t".join(row[5:]) for row in rows[part]),
            GenotypeCounts(
                counts.alternate[part], counts.called[part], counts.samples_with_calls[part],
                tuple((name, called[part], alternate[part]) for name, called, alternate in counts.groups),
            ),
        )  # fmt: skip


def column_sizes(sites: bytes, annotations: bytes, info: list[bytes]) -> Counter:
    """Bytes of each column; of INFO those of `layouts`, of all keys that are rare, and of each other key."""
    sizes = Counter(dict(zip(["CHROM", "POS", "REF", "ALT", "ID pattern", "ID"], map(len, split_parts(sites, 6)))))
    qual, filters, coded_info, form = split_parts(split_parts(annotations, 2)[1], 4)
    sizes.update({"QUAL": len(qual), "FILTER": len(filters), "FORMAT": len(form)})
    keys = [key for key, (places, _) in places_of_keys(split_info(info)[0]).items() if len(places) >= 16]
    names = ["layouts", "rare keys", *(key.decode().rstrip("=") for key in keys)]
    sizes.update({f"INFO {name}": len(part) for name, part in zip(names, split_parts(coded_info, len(names)))})
    return sizes


def measure(name: str, rows: list[list[bytes]], counts: GenotypeCounts, n_records: int) -> dict:
    sizes: Counter = Counter()
    encode_s, decode_s = [], []
    for repeat in range(REPEATS + 1):  # the first compiles
        seconds = [0.0, 0.0]
        sizes.clear()
        for sites, annotations, of_block in blocks(rows, counts, n_records):
            begin = time.perf_counter()
            coded = encode_sites(sites), encode_annotations(annotations, sites, of_block)
            middle = time.perf_counter()
            sites_again = decode_sites(coded[0], len(sites), len(sites.text))
            again = decode_annotations(coded[1], sites_again, of_block, len(annotations.text))
            seconds[0] += middle - begin
            seconds[1] += time.perf_counter() - middle
            if sites_again.to_list() != sites.to_list() or again.to_list() != annotations.to_list():
                raise SystemExit(f"{name}: the columns did not come back")
            sizes.update(column_sizes(*coded, [line.split(b"\t")[2] for line in annotations.to_list()]))
            sizes.update({"sites": len(coded[0]), "annotations": len(coded[1])})
        if repeat:
            encode_s.append(round(seconds[0], 3))
            decode_s.append(round(seconds[1], 3))
    totals = {key: sizes.pop(key) for key in ("sites", "annotations")}
    return {
        "task": f"site-columns/{name}", "records": len(rows), "records_per_block": min(n_records, len(rows)),
        "population_table": bool(counts.groups), "text_bytes": sum(len(b"\t".join(row)) + 1 for row in rows),
        "site_bytes": totals["sites"], "annotation_bytes": totals["annotations"],
        "bytes": sum(totals.values()), "columns": dict(sizes), "encode_s": encode_s, "decode_s": decode_s,
        "verified": True, "threads": 1, "cpu": cpu(), "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip


def main() -> None:
    for name in sys.argv[1:] or ["chr22-dense.vcf.gz", "chr22-whole.vcf.gz"]:
        rows = fixed_columns(DATA / name)
        for with_groups in (True, False):
            counts = genotype_counts(DATA / name, with_groups)
            for n_records in (len(rows), 8192):
                record = measure(name, rows, counts, n_records)
                with open(RECORDS.with_name("site-columns.jsonl"), "a") as records:
                    records.write(json.dumps(record) + "\n")
                print({key: record[key] for key in ("task", "records_per_block", "population_table", "bytes")})


if __name__ == "__main__":
    main()
