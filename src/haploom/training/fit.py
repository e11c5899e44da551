"""From a panel and a split to a model file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from haploom import provenance
from haploom.errors import HaploomError, MissingExtraError
from haploom.io.model_file import ModelCard, ModelFile
from haploom.models.encoder import encode_batches, rows_at_once
from haploom.models.model import HaplotypeModel
from haploom.models.network import CONDITIONED, KINDS, build_network
from haploom.models.to_exact import exact_decoder
from haploom.models.vae import VAE
from haploom.models.yvae import YVAE
from haploom.panel import PARTS, DosagePanel, Panel, Split
from haploom.training.checkpoint import Checkpoint
from haploom.training.config import TrainingConfig
from haploom.training.dataset import PanelDataset, batches
from haploom.training.devices import choose_device, precision_for
from haploom.training.loop import EpochFigures, best_epoch, train_network
from haploom.training.profiles import PROFILES


@dataclass(frozen=True)
class Training:
    """A finished training: the model, ready to be written, and the figures of each epoch."""

    model: ModelFile
    history: list[EpochFigures]

    @property
    def kept(self) -> EpochFigures:
        """The epoch whose weights were kept."""
        return best_epoch(self.history)


def train_model(
    panel: Panel | DosagePanel,
    split: Split,
    level: str,
    *,
    kind: str = "vae",
    profile: str = "sound",
    config: TrainingConfig | None = None,
    shape: Mapping[str, Any] | None = None,
    maf: float = 0.0,
    device: str = "auto",
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Training:
    """Train a model on the training people of a panel, choosing the epoch by the validation people.

    panel: phased haplotypes, or unphased dosages (rows are then people, under a Binomial likelihood).
    level: the label level whose classes the model remembers.
    kind, profile: see `training.profiles`. config: how to train, instead of the profile's way.
    shape: settings of the network beside or instead of the profile's, such as {"n_latent": 32}.
    maf: only sites whose minor-allele frequency among the training people is above it.
    device: "auto", "cpu", "cuda" or "cuda:1".
    checkpoint: save the training here now and then; resume: go on from that file, if it is there.

    The test people of the split are not looked at. Raises HaploomError when a part is too small to train on.
    """
    chosen = PROFILES[kind][profile]
    config = config or chosen.training
    train_part, validation_part = (
        panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "validation")
    )
    if train_part.n_samples < 2:
        raise HaploomError(f"training needs two people or more, the split leaves {train_part.n_samples}")
    if maf > 0:
        kept_sites = _common_sites(train_part, maf)
        train_part, validation_part = train_part.select_sites(kept_sites), validation_part.select_sites(kept_sites)
    train = PanelDataset(train_part, level)
    validation = PanelDataset(validation_part, level, train.label_names)

    target = choose_device(device)
    config_type, _ = KINDS[kind]
    settings = {
        "n_sites": train.n_sites, "ploidy": train.ploidy,
        **({"n_labels": len(train.label_names)} if kind in CONDITIONED else {}),
        **chosen.shape, **(shape or {}),
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = build_network(kind, config_type(**settings)).to(target)
    network.start_at(train.frequencies().to(target))
    task = {
        "kind": kind, "sites": train_part.variants.fingerprint(), "people": train_part.samples, "level": level,
        "settings": settings, "training": config.as_dict(), "threads": torch.get_num_threads(),
    }  # fmt: skip
    saved = Checkpoint(checkpoint, task, resume) if checkpoint else None
    history = train_network(network, train, validation, config, _fabric(target), saved)
    model = _model_file(network, train, panel, split, level, history, kind, profile, config, maf)
    return Training(model, history)


def _common_sites(panel: Panel | DosagePanel, maf: float) -> np.ndarray:
    if isinstance(panel, Panel):
        frequencies = panel.minor_allele_frequencies()
    else:
        alternate = panel.alternate_frequencies()
        frequencies = np.minimum(alternate, 1 - alternate)
    sites = np.flatnonzero(frequencies > maf)
    if len(sites) == 0:
        raise HaploomError(f"no site of {panel.n_sites} is left above a minor-allele frequency of {maf}")
    return sites


def _fabric(device: torch.device) -> Any:
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError as error:
        raise MissingExtraError("lightning-fabric", "models", "Training a model") from error
    devices = [device.index] if device.index is not None else 1
    return Fabric(accelerator=device.type, devices=devices, precision=precision_for(device))  # type: ignore[arg-type]


def _model_file(
    network: HaplotypeModel, train: PanelDataset, panel: Panel | DosagePanel, split: Split, level: str,
    history: list[EpochFigures], kind: str, profile: str, config: TrainingConfig, maf: float,
) -> ModelFile:  # fmt: skip
    assert train.labels is not None
    arrays = {f"weights.{name}": tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    if network.n_latents:
        step = rows_at_once(train.n_sites)
        means = encode_batches(network, (train.batch(rows, torch.device("cpu")) for rows in batches(len(train), step)))
        of_label = [means[train.labels == place] for place in range(len(train.label_names))]
        arrays["labels.mean"] = np.stack([rows.mean(axis=0) for rows in of_label])
        arrays["labels.variance"] = np.stack([rows.var(axis=0) for rows in of_label])
        arrays |= _exact_arrays(network, torch.from_numpy(means), torch.from_numpy(train.labels))
    kept = best_epoch(history)
    variants = train.panel.variants
    per_person = 2 // train.ploidy
    card = ModelCard(
        kind=kind,  # type: ignore[arg-type]
        profile=profile,
        config=network.config.as_dict(),
        label_level=level,
        labels={
            name: int((train.labels == place).sum()) // per_person for place, name in enumerate(train.label_names)
        },
        contig_length_bp=dict(variants.contig_length_bp),
        site_fingerprint=variants.fingerprint(),
        part_of={sample: part for part in PARTS for sample in panel.samples if split.part_of.get(sample) == part},
        training={**config.as_dict(), "maf": maf, "device": network.frequency.device.type, "kept_epoch": kept.epoch,
                  "epochs_run": len(history), "threads": torch.get_num_threads(),
                  "validation_nats_per_haplotype": kept.validation_loss},
        # Without seconds: the same seed gives the same file.
        history=[{name: v for name, v in figures.record().items() if name != "seconds"} for figures in history],
        made_by=provenance.record(config.seed),
    )  # fmt: skip
    return ModelFile(card, variants, arrays)


def _exact_arrays(network: HaplotypeModel, means: torch.Tensor, labels: torch.Tensor) -> dict[str, np.ndarray]:
    """The integer decoders of the models that have them: `exact.*`, of a Y-VAE's members `exact.<place>.*`."""
    if isinstance(network, YVAE):
        return {
            f"exact.{place}.{name}": array
            for place, member in enumerate(network.members)
            if isinstance(member, VAE)
            for name, array in exact_decoder(member, means[labels == place]).to_tensors().items()
        }
    if isinstance(network, VAE):
        inputs = means
        if network.config.n_labels:
            inputs = torch.cat([means, network.one_hot(labels.to(network.frequency.device)).cpu()], dim=1)
        return {f"exact.{name}": array for name, array in exact_decoder(network, inputs).to_tensors().items()}
    return {}
