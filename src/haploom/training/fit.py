"""From a panel and a split to a model file."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from haploom import provenance
from haploom.errors import HaploomError
from haploom.io.model_file import ModelCard, ModelFile
from haploom.models.encoder import encode_means, rows_at_once
from haploom.models.to_exact import exact_decoder
from haploom.models.vae import VAE, VAEConfig
from haploom.panel import PARTS, Panel, Split
from haploom.training.batches import PackedBatches
from haploom.training.devices import choose_device, precision_for
from haploom.training.loop import EpochFigures, TrainingConfig, train_elbo

PROFILES = {
    # Geleta et al. 2026, Table 1; the batch follows from public facts about the study.
    "paper": TrainingConfig(epochs=1000, batch_size=128, learning_rate=1e-4, patience=50),
    # Measured on validation people: see benchmarks/records/vae-settings.jsonl.
    "sound": TrainingConfig(),
}


@dataclass(frozen=True)
class Training:
    """A finished training: the model, ready to be written, and the figures of each epoch."""

    model: ModelFile
    history: list[EpochFigures]

    @property
    def kept(self) -> EpochFigures:
        """The epoch whose weights were kept."""
        return best_epoch(self.history)


def train_vae(
    panel: Panel,
    split: Split,
    level: str,
    *,
    profile: str = "sound",
    config: TrainingConfig = PROFILES["sound"],
    n_latent: int = 64,
    maf: float = 0.0,
    device: str = "auto",
) -> Training:
    """Train the paper's VAE on the training people of a panel, choosing the epoch by the validation people.

    level: the label level whose classes the model remembers (mean and variance of their latents).
    maf: only sites whose minor-allele frequency among the training people is above it.
    device: "auto", "cpu", "cuda" or "cuda:1".

    The test people of the split are not looked at. Raises HaploomError when a part is too small to train on.
    """
    train = panel.select_samples(split.samples("train", panel.samples))
    validation = panel.select_samples(split.samples("validation", panel.samples))
    if train.n_haplotypes < 4:
        raise HaploomError(f"training needs two people or more, the split leaves {train.n_samples}")
    sites = np.flatnonzero(train.minor_allele_frequencies() > maf) if maf > 0 else np.arange(panel.n_sites)
    if len(sites) == 0:
        raise HaploomError(f"no site of {panel.n_sites} is left above a minor-allele frequency of {maf}")
    if maf > 0:
        train, validation = train.select_sites(sites), validation.select_sites(sites)

    target = choose_device(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = VAE(VAEConfig(n_sites=train.n_sites, n_latent=n_latent)).to(target)
    history = train_elbo(
        model,
        PackedBatches(train, config.batch_size, target),
        PackedBatches(validation, rows_at_once(train.n_sites), target),
        config,
        precision_for(target),
    )
    means = encode_means(model, train.bits)
    labels = train.labels(level, per="haplotype")
    names = sorted(set(labels.tolist()))
    exact = exact_decoder(model, torch.from_numpy(means))
    arrays = {
        **{f"weights.{name}": tensor.cpu().numpy() for name, tensor in model.state_dict().items()},
        **{f"exact.{name}": array for name, array in exact.to_tensors().items()},
        "labels.mean": np.stack([means[labels == name].mean(axis=0) for name in names]),
        "labels.variance": np.stack([means[labels == name].var(axis=0) for name in names]),
    }
    kept = best_epoch(history)
    card = ModelCard(
        kind="vae",
        profile=profile,
        config=model.config.as_dict(),
        label_level=level,
        labels={name: int((labels == name).sum()) // 2 for name in names},
        contig_length_bp=dict(train.variants.contig_length_bp),
        site_fingerprint=train.variants.fingerprint(),
        part_of={sample: part for part in PARTS for sample in panel.samples if split.part_of.get(sample) == part},
        training={**config.as_dict(), "maf": maf, "device": target.type, "kept_epoch": kept.epoch,
                  "threads": torch.get_num_threads(), "validation_nats_per_haplotype": kept.validation_loss},
        # Without seconds: the same seed gives the same file.
        history=[{name: v for name, v in asdict(figures).items() if name != "seconds"} for figures in history],
        made_by=provenance.record(config.seed),
    )  # fmt: skip
    return Training(ModelFile(card, train.variants, arrays), history)


def best_epoch(history: Sequence[EpochFigures]) -> EpochFigures:
    """The epoch whose weights are kept: the best on validation people."""
    return min(history, key=lambda figures: figures.validation_loss)
