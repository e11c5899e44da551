"""Writes the frozen archives of tests/vectors/archive-1 from the texts beside them.

    python tools/make_vectors.py

Run by hand when a format is released, and never since: an archive that a test finds to decode otherwise is a fault of
the reader, not of the archive. So archives that exist are left as they are; what is new in names.txt is made. Needs the
extra `models` for the neural one.

names.txt has a line for each archive: its name, the text, the codec or level, and the records a block holds.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from haploom.compression import compress, writer
from haploom.io import Selection, read_panel

FOLDER = Path(__file__).parents[1] / "tests" / "vectors" / "archive-1"
LABELS = FOLDER / "populations.tsv"
NEURAL = "vae+rle"


def make(target: Path, text: Path, how: str, block_records: int) -> None:
    limits = writer.BlockLimits(block_records, 1 << 26, 1 << 28)
    with mock.patch.dict(writer.LEVELS, dict.fromkeys(writer.LEVELS, limits)), TemporaryDirectory() as folder:
        selection = Selection(populations=LABELS if text.name == "phased.vcf" else None)
        if how == NEURAL:
            model = Path(folder) / "small.model"
            train(text, model)
            compress(text, target, selection=selection, codec=NEURAL, model=model)
        else:
            compress(text, target, selection=selection, level=how)


def train(text: Path, model: Path) -> None:
    """A model of a moment's training."""
    from haploom.io.model_file import write_model
    from haploom.panel import split_people
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    panel = read_panel(text, Selection(populations=LABELS))
    split = split_people(panel.samples, panel.labels("population").tolist(), (0.6, 0.2, 0.2))
    config = TrainingConfig(epochs=3, batch_size=8)
    write_model(train_model(panel, split, "population", config=config, shape={"n_latent": 2}).model, model)


def main() -> None:
    for line in (FOLDER / "names.txt").read_text().splitlines():
        name, text, how, block_records = line.split()
        target = FOLDER / f"{name}.hlm"
        if target.exists():
            print(f"{target.name} exists and stays as it is", file=sys.stderr)
            continue
        make(target, FOLDER / text, how, int(block_records))
        print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
