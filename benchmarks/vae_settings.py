"""Which settings of the VAE's training are best on validation people: the measurement behind the `sound` profile.

    python benchmarks/vae_settings.py DATA_FOLDER [chr22-whole chr22-dense]

Trains on the training people of each file (SNPs above 1 % minor-allele frequency among them, split 80/10/10,
seed 1) and appends one JSON line a setting to records/vae-settings.jsonl. Test people are not looked at.
"""

import json
import sys
import time
from pathlib import Path

import torch

import haploom as hl
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "vae-settings.jsonl"
SETTINGS = [
    {"learning_rate": 1e-4, "batch_size": 128},
    {"learning_rate": 1e-3, "batch_size": 128},
    {"learning_rate": 3e-3, "batch_size": 128},
    {"learning_rate": 1e-2, "batch_size": 128},
    {"learning_rate": 1e-2, "batch_size": 64},
    {"learning_rate": 3e-2, "batch_size": 128},
]


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:] or ["chr22-whole", "chr22-dense"]
    for name in names:
        panel = hl.read_panel(folder / f"{name}.vcf.gz", hl.Selection(populations=folder / "populations.tsv"))
        split = hl.split_people(panel.samples, panel.labels("superpopulation").tolist())
        for settings in SETTINGS:
            config = hl.TrainingConfig(epochs=100, **settings)
            start = time.perf_counter()
            trained = hl.train_model(panel, split, "superpopulation", config=config, maf=0.01)
            record = {
                "task": f"vae-settings/{name}",
                **config.as_dict(),
                "sites": len(trained.model.variants),
                "epochs_run": len(trained.history),
                "kept_epoch": trained.kept.epoch,
                "validation_nats_per_haplotype": round(trained.kept.validation_loss, 2),
                "seconds": round(time.perf_counter() - start, 1),
                "threads": torch.get_num_threads(),
                "versions": package_versions(),
            }
            with RECORDS.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(record["task"], settings, record["kept_epoch"], record["validation_nats_per_haplotype"], flush=True)


if __name__ == "__main__":
    main()
