"""People outside a panel stored beside the panel's own archive: bits per allele, bytes a person, and the break-even.

    python benchmarks/reference.py DATA_FOLDER [--levels max,default] [--people 20]

The people of chr22-dense are split 80/20 by superpopulation (seed 1). The 80 % are the reference archive. Beside it are
stored, at each level, the 20 % together; and, one at a time, some of them evenly spaced among the 20 %, at all sites and
at only the sites where they carry an allele that is not REF. Each is stored without a reference too. Appends one JSON
line each to records/reference.jsonl, and one with means and the break-even: the people from which on an archive of the
reference and theirs is smaller than theirs without one (one archive of a person each, or one archive of all of them).
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from genotype_coder import commit, machine

import haploom as hl
from haploom.archive import Archive
from haploom.compression import compress, compress_panel
from haploom.io import read_panel, write_panel
from haploom.panel import Panel

RECORDS = Path(__file__).parent / "records" / "reference.jsonl"
NAME = "chr22-dense"
SIZES = ("total_bytes", "genotype_bytes", "variant_bytes", "annotation_bytes", "header_bytes")


def measured(text: Path, output: Path, level: str, reference: Archive | None, verify: bool) -> dict[str, object]:
    start = time.perf_counter()
    about = compress(text, output, level=level, reference=reference, verify=verify, force=True)
    return {
        **{key: about[key] for key in SIZES}, "bits_per_allele": about["bits_per_allele"], "verified": verify,
        "sites": about["sites"], "seconds": round(time.perf_counter() - start, 2),
    }  # fmt: skip


def own_sites(panel: Panel) -> Panel:
    return panel.select_sites(panel.alleles().any(axis=0))


def mean(rows: list[dict], key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--levels", default="max,default")
    parser.add_argument("--people", type=int, default=20, help="stored one at a time")
    args = parser.parse_args()
    selection = hl.Selection(populations=args.folder / "populations.tsv")
    panel = read_panel(args.folder / f"{NAME}.vcf.gz", selection)
    split = hl.split_people(panel.samples, panel.labels("superpopulation").tolist(), (0.8, 0.0, 0.2), seed=1)
    of_reference, new = (panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "test"))
    ones = [new.select_samples([new.samples[i * len(new.samples) // args.people]]) for i in range(args.people)]
    with tempfile.TemporaryDirectory() as name, RECORDS.open("a") as file:
        folder = Path(name)

        def written(some: Panel) -> Path:
            write_panel(some, folder / "in.vcf", force=True, no_version=True)
            return folder / "in.vcf"

        for level in args.levels.split(","):
            about = compress_panel(of_reference, folder / "reference.hlm", level=level, verify=False, force=True)
            reference = Archive(folder / "reference.hlm")
            fixed = {
                "task": f"reference/{NAME}", "level": level, "reference_people": of_reference.n_samples,
                "reference_bytes": about["total_bytes"], "reference_genotype_bytes": about["genotype_bytes"],
            }  # fmt: skip
            machine_facts = {"threads": 1, "cpu": machine(), "gpu": None, "commit": commit(), "seed": 1}

            def keep(what: str, people: Panel, verify: bool) -> dict:
                text = written(people)
                row = {"what": what, "people": people.n_samples, "samples": people.samples[0]}
                row |= measured(text, folder / "out.hlm", level, reference, verify)
                row["without_reference"] = measured(text, folder / "alone.hlm", level, None, False)
                file.write(json.dumps(fixed | row | machine_facts) + "\n")
                file.flush()
                print(
                    level, what, row["samples"], row["bits_per_allele"], row["total_bytes"], row["seconds"], flush=True
                )
                return row

            group = keep("all new people", new, True)
            everywhere = [keep("one person, all sites", one, i == 0) for i, one in enumerate(ones)]
            own = [keep("one person, own sites", own_sites(one), i == 0) for i, one in enumerate(ones)]
            about_one = {
                f"{what}_{key}": round(mean(rows, key), 4)
                for what, rows in (("all_sites", everywhere), ("own_sites", own))
                for key in ("bits_per_allele", "genotype_bytes", "variant_bytes", "total_bytes", "sites")
            }
            saved_alone = mean([row["without_reference"] for row in own], "total_bytes") - mean(own, "total_bytes")
            together = group["without_reference"]["total_bytes"] - group["total_bytes"]
            summary = {
                "what": "summary", "people": args.people, **about_one,
                "all_bits_per_allele": group["bits_per_allele"],
                "break_even_people_own_sites": round(about["total_bytes"] / saved_alone, 1),
                "saved_bytes_by_all_new_people": together,
            }  # fmt: skip
            file.write(json.dumps(fixed | summary | machine_facts) + "\n")
            file.flush()
            print(summary, flush=True)


if __name__ == "__main__":
    main()
