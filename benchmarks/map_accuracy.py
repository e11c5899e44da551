"""Maps of two coordinates on real haplotypes: held-out k-NN accuracy of the VAE and of PCA, split by split.

    python benchmarks/map_accuracy.py DATA_FOLDER chr22-whole|chr22-dense [SEED ...]

Appends a JSON line a split and method to records/map-accuracy.jsonl. Superpopulations, 20 neighbours, split 70/10/20 by
person. About 3 minutes a split of one core.
"""

import json
import sys
import time
from pathlib import Path

import torch

import haploom as hl
from haploom.popgen.map_scores import neighbour_labels
from haploom.provenance import package_versions
from haploom.report.reproduce.map_data import SIZES, Genotyped, parts_of
from haploom.report.reproduce.map_methods import VAE_SETTINGS, VAE_SHAPE, by_components, by_vae
from haploom.report.reproduce.map_rows import NEIGHBOURS

RECORDS = Path(__file__).parent / "records" / "map-accuracy.jsonl"
LEVEL = "superpopulation"


def main() -> None:
    folder, name, seeds = Path(sys.argv[1]), sys.argv[2], [int(seed) for seed in sys.argv[3:]] or [1, 2, 3]
    torch.set_num_threads(1)
    panel = hl.read_panel(folder / f"{name}.vcf.gz", hl.Selection(populations=folder / "populations.tsv"))
    data = Genotyped(name, panel, (LEVEL,))
    for seed in seeds:
        parts = parts_of(data, seed)
        truth = {part: data.labels(LEVEL, parts.part(part).samples) for part in ("train", "test")}
        for make in (by_components, by_vae):
            start = time.perf_counter()
            placed = make(parts, SIZES["standard"], seed)
            seconds = round(time.perf_counter() - start, 1)
            for method, (train, test) in placed.items():
                said = neighbour_labels(train, truth["train"], test, NEIGHBOURS)
                record = {
                    "task": f"map-accuracy/{name}", "method": method, "seed": seed, "sites": parts.everyone.n_sites,
                    "rows": len(test), "accuracy": round(float((said == truth["test"]).mean()), 4),
                    "seconds": seconds, "versions": package_versions(),
                }  # fmt: skip
                if make is by_vae:
                    record |= {"settings": VAE_SETTINGS, "shape": VAE_SHAPE}
                with RECORDS.open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print(record["task"], seed, method, record["accuracy"], flush=True)


if __name__ == "__main__":
    main()
