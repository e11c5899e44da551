"""Models trained side by side on the same people, and what held-out haplotypes cost under each."""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from haploom.bench.code_length import baseline_records, model_record
from haploom.errors import HaploomError
from haploom.io import check_outputs
from haploom.io.model_file import ModelFile, read_model, write_model
from haploom.models.network import KINDS
from haploom.panel import PARTS, Panel, Split
from haploom.training.fit import train_model
from haploom.training.profiles import PROFILES

logger = logging.getLogger(__name__)


def train_records(
    task: str, panel: Panel, split: Split, level: str, wanted: Sequence[tuple[str, str]], *, maf: float,
    settings: Mapping[str, Any], folder: Path | None = None, baselines: bool = True, threads: int = 1,
    force: bool = False,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A record for each (kind, profile) in `wanted` that exists, then the baselines' (see `code_length`).

    settings: training settings in place of every profile's own. folder: where to keep the models, which are made in a
    temporary folder otherwise; force: in place of those there. threads: of the baselines; the networks use torch's.

    Raises HaploomError before any training for a kind whose loss is no code length, or where a part of the split has
    none of the people.
    """
    if no_code := [kind for kind, _ in wanted if not KINDS[kind][1].code_terms]:
        raise HaploomError(f"the loss of a model of kind {no_code[0]} is no code length: leave it out")
    for kind, profile in wanted:
        if profile not in PROFILES[kind]:
            logger.warning("%s has no profile %s: skipped", kind, profile)
    wanted = [(kind, profile) for kind, profile in wanted if profile in PROFILES[kind]]
    if folder is not None:
        check_outputs([_path(folder, kind, profile) for kind, profile in wanted], (), force)
    for part in PARTS:
        split.samples(part, panel.samples)
    model: ModelFile | None = None
    with tempfile.TemporaryDirectory() as temporary:
        for kind, profile in wanted:
            trained = train_model(panel, split, level, kind=kind, profile=profile, settings=settings, maf=maf)
            path = _path(folder or Path(temporary), kind, profile)
            write_model(trained.model, path, force)
            model = read_model(path)
            seconds = sum(figures.seconds for figures in trained.history)
            yield {**model_record(task, model, path, panel), "train_seconds": round(seconds, 1)}
    if baselines and model is not None:
        yield from baseline_records(task, model, panel, threads)


def _path(folder: Path, kind: str, profile: str) -> Path:
    return folder / f"{kind}-{profile}.model"
