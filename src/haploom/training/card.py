"""A trained network as a model file: its card, its arrays, and what it cannot do."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from haploom import provenance
from haploom.exact import AlleleDecoder
from haploom.io.model_file import ModelCard, ModelFile
from haploom.models.encoder import encode_batches, rows_at_once
from haploom.models.label_scores import fit_temperature, label_scores
from haploom.models.model import HaplotypeModel
from haploom.models.to_exact import exact_decoder, exact_encoder
from haploom.models.vae import VAE
from haploom.models.vqvae import VQVAE
from haploom.models.window_vae import WindowAE, WindowVAE
from haploom.models.windows import apart
from haploom.models.windows_to_exact import exact_code_decoder, exact_window_decoder, exact_window_encoder
from haploom.models.yvae import YVAE
from haploom.panel import PARTS, Split
from haploom.training.dataset import PanelDataset, batches
from haploom.training.epochs import EpochFigures, best_epoch
from haploom.training.job import Job

TYPICAL_ROWS = 512  # training haplotypes that set the scale of the integer encoders
FEW_PEOPLE = 20  # training people of a label below which the card says so

_LIMITS = {
    "autoregressive": (
        "An allele is foretold from those before it alone: it has no latents, places nobody and fills nothing in.",
    ),
    "vae": ("The network is not told labels: latents show what varies most, which need not be ancestry.",),
    "cvae": (
        "Every row needs a label, which must be one of these; a wrong one is taken at its word.",
        "Latents hold what the label does not say: people of different labels may lie at the same place.",
    ),
    "denoiser": ("It fills in what is not known within its sites: no latents, no code, nothing made up.",),
    "gmmn": (
        "It has no likelihood and places nobody: it only makes haplotypes up.",
        "Its loss is measured by random features: what they cannot tell apart it does not learn.",
    ),
    "pca": ("Straight axes of what varies most among the training people, which need not be ancestry.",),
    "vqvae": (
        "A window is one of few codes a head: what is rare in a window is left to the residual.",
        "Codes know of the window before and no further: long haplotypes cost their codes again and again.",
    ),
    "window-ae": ("No prior over latents: it draws nobody, and its loss is no code length.",),
    "window-vae": ("Windows have latents of their own: what ties distant sites together is not learned.",),
    "yvae": (
        "Every row needs a label, which must be one of these; a wrong one is taken at its word.",
        "Each label has a latent space of its own: distances between people of two labels mean nothing.",
    ),
}


def model_file(
    network: HaplotypeModel, job: Job, history: Sequence[EpochFigures], *, people: Sequence[str], split: Split,
    level: str, profile: str, maf: float, device: torch.device, processes: int,
) -> ModelFile:  # fmt: skip
    """The model file of a finished training.

    network: with the weights that were kept. history: see `kept_epochs`. people: everyone in the panel.
    """
    arrays = {f"weights.{name}": tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    if network.n_latents:
        arrays |= _latent_arrays(network, job.train)
    if job.kind in ("cvae", "yvae"):
        arrays["labels.temperature"] = np.array([_temperature(network, job.validation)])
    settings = job.config.as_dict()
    training = {
        "epochs_at_most": settings.pop("epochs"), **settings, "maf": maf, "device": device.type,
        "threads": torch.get_num_threads(), "processes": processes, **_figures(network, job, history),
    }  # fmt: skip
    card = model_card(job, training, history, people=people, split=split, level=level, profile=profile)
    return ModelFile(card, job.train.panel.variants, arrays)


def model_card(
    job: Job, training: Mapping[str, Any], history: Sequence[EpochFigures], *, people: Sequence[str], split: Split,
    level: str, profile: str,
) -> ModelCard:  # fmt: skip
    """What is known of a training. training: its settings and what came of it. people: everyone in the panel."""
    train = job.train
    assert train.labels is not None
    variants = train.panel.variants
    counts = np.bincount(train.labels, minlength=len(train.label_names)) * train.ploidy // 2
    labels = {name: int(n) for name, n in zip(train.label_names, counts)}
    return ModelCard(
        kind=job.kind,  # type: ignore[arg-type]
        profile=profile,
        config=job.settings.as_dict(),
        label_level=level,
        labels=labels,
        contig_length_bp=dict(variants.contig_length_bp),
        site_fingerprint=variants.fingerprint(),
        part_of={sample: part for part in PARTS for sample in people if split.part_of.get(sample) == part},
        training=dict(training),
        # Without seconds: the same seed gives the same file.
        history=[{name: v for name, v in figures.record().items() if name != "seconds"} for figures in history],
        limits=_limits(job, labels),
        made_by=provenance.record(job.config.seed),
    )


def kept_epochs(history: Sequence[EpochFigures]) -> dict[str | None, EpochFigures]:
    """The epoch whose weights were kept, of each label that has a network of its own; else one, under None."""
    labels = dict.fromkeys(figures.label for figures in history)
    return {label: best_epoch([figures for figures in history if figures.label == label]) for label in labels}


def _figures(network: HaplotypeModel, job: Job, history: Sequence[EpochFigures]) -> dict[str, Any]:
    """Which epochs ran and were kept, and what the model reaches on validation people."""
    kept = kept_epochs(history)
    validation = job.validation
    if None in kept:
        rows: dict[Any, int] = {None: len(validation)}
        epochs: dict[str, Any] = {"kept_epoch": kept[None].epoch, "epochs_run": len(history)}
    else:
        assert validation.labels is not None
        counts = np.bincount(validation.labels, minlength=len(validation.label_names))
        rows = dict(zip(validation.label_names, counts.tolist()))
        epochs = {
            "kept_epoch": {label: figures.epoch for label, figures in kept.items()},
            "epochs_run": {label: sum(figures.label == label for figures in history) for label in kept},
        }
    losses = {label: figures.validation_loss for label, figures in kept.items()}
    held_out = {"validation_loss": _mean(losses, rows)}
    terms = network.code_terms
    if terms and all(set(terms) <= figures.validation.keys() for figures in kept.values()):
        nats = {label: sum(figures.validation[term] for term in terms) for label, figures in kept.items()}
        calls_per_row = validation.n_calls() / len(validation)
        held_out["validation_bits_per_site"] = _mean(nats, rows) / math.log(2) / calls_per_row
    return epochs | held_out


def _mean(values: Mapping[str | None, float], rows: Mapping[Any, int]) -> float:
    return sum(values[label] * rows[label] for label in values) / sum(rows[label] for label in values)


def _limits(job: Job, labels: Mapping[str, int]) -> list[str]:
    """What a reader of the card should know before using the model."""
    said = [
        "It knows its training people at its sites: other populations, sites or builds need another model.",
        *_LIMITS.get(job.kind, ()),
    ]
    if job.train.ploidy == 2:
        said.append("Rows are unphased people: it cannot store or make up haplotypes.")
    if few := [f"{label} ({n})" for label, n in labels.items() if n < FEW_PEOPLE]:
        said.append(f"Labels with fewer than {FEW_PEOPLE} training people are known poorly: {', '.join(few)}.")
    return said


def _latent_arrays(network: HaplotypeModel, train: PanelDataset) -> dict[str, np.ndarray]:
    """Where each label's training rows lie in the latent space, and the integer decoders."""
    step = rows_at_once(train.n_sites)
    cpu = torch.device("cpu")
    means = encode_batches(network, (train.batch(rows, cpu) for rows in batches(len(train), step)))
    of_label = [means[train.labels == place] for place in range(len(train.label_names))]
    return {
        "labels.mean": np.stack([rows.mean(axis=0) for rows in of_label]),
        "labels.variance": np.stack([rows.var(axis=0) for rows in of_label]),
        **({"labels.spread": np.stack([_spread(rows) for rows in of_label])} if network.config.n_labels else {}),
        **(_exact_arrays(network, torch.from_numpy(means), train) if train.ploidy == 1 else {}),
    }


def _spread(rows: np.ndarray) -> np.ndarray:
    """S of z = mean + S e, e ~ N(0, I), with the covariance of some latents: float32 (n_latents, n_latents)."""
    variances, axes = np.linalg.eigh(np.cov(rows.T, bias=True).reshape(rows.shape[1], -1))
    return (axes * np.sqrt(variances.clip(min=0))).astype(np.float32)


def _temperature(network: HaplotypeModel, validation: PanelDataset) -> float:
    """That under which the likelihoods of validation rows say their labels best."""
    assert validation.labels is not None
    device = network.frequency.device
    steps = batches(len(validation), rows_at_once(validation.n_sites))
    nats, _ = label_scores(network, (validation.batch(rows, device) for rows in steps))
    return fit_temperature(nats, validation.labels)


@torch.no_grad()
def _exact_arrays(network: HaplotypeModel, means: torch.Tensor, train: PanelDataset) -> dict[str, np.ndarray]:
    """The integer networks: decoders `exact.*`, of a Y-VAE's members `exact.<place>.*`; encoders `encoder.*`.

    Encoders are there for bits-back coding, which has to draw the same latents from the same haplotype.
    means: (n_rows, n_latents) of all training rows.
    """
    assert train.labels is not None
    device, labels = network.frequency.device, torch.from_numpy(train.labels)
    if isinstance(network, YVAE):
        return {
            f"exact.{place}.{name}": array
            for place, member in enumerate(network.members)
            if isinstance(member, VAE)
            for name, array in exact_decoder(member, means[labels == place]).to_tensors().items()
        }
    rows = np.linspace(0, len(train) - 1, min(TYPICAL_ROWS, len(train))).astype(np.int64)
    if isinstance(network, VQVAE):
        values = apart(means[rows].to(device), network.windows.n_windows)
        return _named("exact", exact_code_decoder(network, network.codebook(values).codes.transpose(0, 1)))
    if isinstance(network, WindowAE):
        decoder = _named("exact", exact_window_decoder(network, means[rows]))
        if isinstance(network, WindowVAE):
            alleles = train.batch(rows, device).counts
            return decoder | _named("encoder", exact_window_encoder(network, alleles))
        return decoder
    if not isinstance(network, VAE):
        return {}
    if network.config.n_labels:
        return _named("exact", exact_decoder(network, torch.cat([means, network.one_hot(labels.to(device)).cpu()], 1)))
    alleles = train.batch(rows, device).counts
    return _named("exact", exact_decoder(network, means)) | _named("encoder", exact_encoder(network, alleles))


def _named(prefix: str, network: AlleleDecoder) -> dict[str, np.ndarray]:
    return {f"{prefix}.{name}": array for name, array in network.to_tensors().items()}
