"""Writes the frozen archives of tests/vectors/archive-1 from the texts beside them.

    python tools/make_vectors.py

Run by hand when a format is released, and never since: an archive that a test finds to decode otherwise is a fault of
the reader, not of the archive. So archives that exist are left as they are; what is new in names.txt is made. Needs the
extra `models` for the neural one.

names.txt has a line for each archive: its name, the text, the codec or level, the records a block holds, and, for one
that is stored beside a reference, the name of that.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from haploom.compression import compress, writer
from haploom.io import Selection, read_panel

FOLDER = Path(__file__).parents[1] / "tests" / "vectors" / "archive-1"
LABELS = FOLDER / "populations.tsv"
# Codec, or codec and what tells its models apart -> the kind of model and its shape.
MODELS = {
    "vae+rle": ("vae", {"n_latent": 2}),
    "cvae+rle": ("cvae", {"n_latent": 2, "hidden": (8,), "decoder_hidden": (8,)}),
    "pca+rle": ("pca", {"n_latent": 2}),
    "vqvae+zstd": ("vqvae", {"n_latent": 4, "window": 40, "heads": 1, "codes": 8}),
    "vae": ("vae", {"n_latent": 2, "hidden": (8,), "decoder_hidden": (8,)}),
    "vae:windows": ("window-vae", {"n_latent": 2, "window": 40, "hidden": (8,), "decoder_hidden": (8,)}),
    "vqvae": ("vqvae", {"n_latent": 4, "window": 40, "heads": 1, "codes": 8}),
    "vqvae:heads": (
        "vqvae", {"n_latent": 4, "window": 40, "heads": 2, "codes": 8, "hidden": (8,), "decoder_hidden": (8,)}
    ),
}  # fmt: skip


def make(target: Path, text: Path, how: str, block_records: int, reference: str | None = None) -> None:
    limits = writer.BlockLimits(block_records, 1 << 26, 1 << 28)
    with mock.patch.dict(writer.LEVELS, dict.fromkeys(writer.LEVELS, limits)), TemporaryDirectory() as folder:
        selection = Selection(populations=LABELS if text.name == "phased.vcf" else None)
        if how in MODELS:
            model = Path(folder) / "small.model"
            train(text, model, *MODELS[how])
            compress(text, target, selection=selection, codec=how.partition(":")[0], model=model)
        else:
            beside = FOLDER / f"{reference}.hlm" if reference else None
            compress(text, target, selection=selection, level=how, reference=beside)


def train(text: Path, model: Path, kind: str, shape: dict[str, Any]) -> None:
    """A model of a moment's training."""
    from haploom.io.model_file import write_model
    from haploom.panel import split_people
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    panel = read_panel(text, Selection(populations=LABELS))
    split = split_people(panel.samples, panel.labels("population").tolist(), (0.6, 0.2, 0.2))
    config = TrainingConfig(epochs=3, batch_size=8)
    write_model(train_model(panel, split, "population", kind=kind, config=config, shape=shape).model, model)


def main() -> None:
    for line in (FOLDER / "names.txt").read_text().splitlines():
        name, text, how, block_records, *reference = line.split()
        target = FOLDER / f"{name}.hlm"
        if target.exists():
            print(f"{target.name} exists and stays as it is", file=sys.stderr)
            continue
        make(target, FOLDER / text, how, int(block_records), *reference)
        print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
