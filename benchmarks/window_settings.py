"""Which shapes of windowed models are best on validation people: the measurement behind their `sound` profiles.

    python benchmarks/window_settings.py DATA_FOLDER [chr22-dense]

Trains on the training people of each file (SNPs above 1 % minor-allele frequency among them, split 70/10/20, seed 1)
and appends one JSON line a setting to records/window-settings.jsonl. `bits_per_site` is a code length: reconstruction
and KL, or reconstruction and codes. Test people are not looked at.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import haploom as hl
from haploom.bench.records import append_records
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "window-settings.jsonl"
LEVEL = "superpopulation"
VQ = {"window": 100, "n_latent": 16, "heads": 1, "codes": 128, "revive_below": 0.1}
SETTINGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [  # kind, shape, training
    ("window-vae", {"couple": False}, {"epochs": 15, "schedule": "constant"}),
    ("window-vae", {"couple": True}, {"epochs": 30}),
    (
        "window-vae",
        {"window": 250, "n_latent": 12, "hidden": (256,), "decoder_hidden": (256,), "couple": False},
        {"epochs": 30},
    ),
    ("vqvae", VQ, {"epochs": 30}),
    ("vqvae", {**VQ, "window": 50}, {"epochs": 20}),
    ("vqvae", {**VQ, "window": 200}, {"epochs": 20}),
    ("vqvae", {**VQ, "n_latent": 32, "codes": 256}, {"epochs": 20}),
    ("vqvae", {**VQ, "n_latent": 32, "heads": 4, "codes": 64}, {"epochs": 30}),
    ("vqvae", {**VQ, "n_latent": 32, "heads": 4, "codes": 64, "moving_average": True}, {"epochs": 30}),
]


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:] or ["chr22-dense"]
    for name in names:
        panel = hl.read_panel(folder / f"{name}.vcf.gz", hl.Selection(populations=folder / "populations.tsv"))
        split = hl.split_people(panel.samples, panel.labels(LEVEL).tolist(), (0.7, 0.1, 0.2))
        for kind, shape, training in SETTINGS:
            config = hl.TrainingConfig(**{"schedule": "cosine", **training})
            start = time.perf_counter()
            trained = hl.train_model(panel, split, LEVEL, kind=kind, config=config, shape=shape, maf=0.01)
            kept, n_sites = trained.kept, len(trained.model.variants)
            nats = {key: kept.validation[key] for key in ("reconstruction", "kl", "codes") if key in kept.validation}
            bits = {key: round(value / np.log(2) / n_sites, 4) for key, value in nats.items()}
            record = {
                "task": f"window-settings/{name}", "kind": kind, "shape": shape, **config.as_dict(), "sites": n_sites,
                "parameters": trained.model.n_parameters, "kept_epoch": kept.epoch,
                "bits_per_site": round(sum(bits.values()), 4), **{f"{key}_bits": value for key, value in bits.items()},
                "perplexity": kept.validation.get("perplexity"), "seconds": round(time.perf_counter() - start, 1),
                "threads": torch.get_num_threads(), "versions": package_versions(),
            }  # fmt: skip
            append_records(RECORDS, [record])
            print(record["task"], kind, shape, record["bits_per_site"], bits, flush=True)


if __name__ == "__main__":
    main()
