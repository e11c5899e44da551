"""People outside a panel stored beside the panel's own archive: bits per allele, bytes a person, and the break-even.

    python benchmarks/reference.py DATA_FOLDER [--levels default,max] [--people 20]

The people of chr22-dense are split 80/20 by superpopulation (seed 1). The 80 % are the reference archive. Beside it are
stored, at each level, the 20 % together; and, one at a time, some of them evenly spaced among the 20 %, at all sites
and at only those where they carry an allele that is not REF. Each is stored without a reference too. The text has
genotypes only: no INFO. Appends one JSON line each to records/reference.jsonl, and a summary with means over the people
stored alone and the break-even: from how many people on, each with own sites in an archive of their own, the bytes
that the reference saves are more than the reference's.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genotype_coder import commit, machine

import haploom as hl
from haploom.archive import Archive
from haploom.bench.records import append_records
from haploom.compression import compress, compress_panel
from haploom.io import read_panel, write_panel
from haploom.panel import Panel

RECORDS = Path(__file__).parent / "records" / "reference.jsonl"
NAME = "chr22-dense"
SIZES = (
    "sites", "bits_per_allele", "total_bytes", "genotype_bytes", "variant_bytes", "annotation_bytes", "header_bytes",
)  # fmt: skip


def stored(people: Panel, folder: Path, level: str, reference: Archive | None, verify: bool) -> dict[str, Any]:
    """Sizes of the archive of some people."""
    write_panel(people, folder / "in.vcf", force=True, no_version=True)
    start = time.perf_counter()
    about = compress(folder / "in.vcf", folder / "out.hlm", level=level, reference=reference, verify=verify, force=True)
    seconds = round(time.perf_counter() - start, 2)
    return {**{key: about[key] for key in SIZES}, "verified": verify, "seconds": seconds}


def with_and_without(what: str, people: Panel, folder: Path, reference: Archive, verify: bool) -> dict[str, Any]:
    level = reference.manifest.level
    return {
        "what": what, "people": people.n_samples, "first_sample": people.samples[0],
        **stored(people, folder, level, reference, verify),
        "without_reference": stored(people, folder, level, None, False),
    }  # fmt: skip


def rows(new: Panel, n_alone: int, folder: Path, reference: Archive) -> Iterator[dict[str, Any]]:
    """All new people together, then some of them one at a time, then what follows."""
    group = with_and_without("all new people", new, folder, reference, True)
    yield group
    means: dict[str, float] = {}
    for what in ("all sites", "own sites"):
        found = []
        for i in range(n_alone):
            one = new.select_samples([new.samples[i * new.n_samples // n_alone]])
            if what == "own sites":
                one = one.select_sites(one.alleles().any(axis=0))
            found.append(with_and_without(f"one person, {what}", one, folder, reference, i == 0))
            yield found[-1]
        means |= {f"{what}: {key}": round(sum(row[key] for row in found) / n_alone, 4) for key in SIZES}
        alone = sum(row["without_reference"]["total_bytes"] for row in found) / n_alone
        means[f"{what}: total_bytes without reference"] = round(alone, 1)
    saved = means["own sites: total_bytes without reference"] - means["own sites: total_bytes"]
    yield {
        "what": "summary", "people_alone": n_alone, **means,
        "all new people: bits_per_allele": group["bits_per_allele"],
        "break_even_people": round(reference.path.stat().st_size / saved, 1),
        "all new people: saved_bytes": group["without_reference"]["total_bytes"] - group["total_bytes"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--levels", default="default,max")
    parser.add_argument("--people", type=int, default=20, help="stored one at a time")
    args = parser.parse_args()
    panel = read_panel(args.folder / f"{NAME}.vcf.gz", hl.Selection(populations=args.folder / "populations.tsv"))
    split = hl.split_people(panel.samples, panel.labels("superpopulation").tolist(), (0.8, 0.0, 0.2), seed=1)
    of_reference, new = (panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "test"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for level in args.levels.split(","):
            about = compress_panel(of_reference, folder / "reference.hlm", level=level, verify=False, force=True)
            facts = {
                "task": f"reference/{NAME}", "level": level, "reference_people": of_reference.n_samples,
                "reference_bytes": about["total_bytes"], "reference_genotype_bytes": about["genotype_bytes"],
                "threads": 1, "cpu": machine(), "gpu": None, "commit": commit(), "seed": 1,
            }  # fmt: skip
            for row in rows(new, args.people, folder, Archive(folder / "reference.hlm")):
                append_records(RECORDS, [facts | row])
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
