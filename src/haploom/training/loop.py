"""The training loop, on Lightning Fabric."""

import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError
from haploom.models.losses import elbo_terms
from haploom.training.batches import PackedBatches


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train; the defaults are the `sound` profile's."""

    epochs: int = 400  # at most; see patience
    batch_size: int = 64
    learning_rate: float = 1e-2
    beta: float = 1.0  # weight of the KL term (paper: 1)
    patience: int = 15  # epochs without a better validation loss before it stops
    seed: int = 1

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch_size": 2, "patience": 1, "learning_rate": 0, "beta": 0, "seed": 0}
        for name, smallest in least.items():
            if not getattr(self, name) >= smallest:  # "not" catches NaN too
                raise HaploomError(f"{name}={getattr(self, name)} is out of range: wanted {smallest} or more")

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class EpochFigures:
    """One epoch, in nats per haplotype: the terms of the loss on training and on validation people."""

    epoch: int
    train_reconstruction: float
    train_kl: float
    validation_reconstruction: float
    validation_kl: float
    validation_loss: float  # what is trained for: reconstruction + beta * KL
    seconds: float


def train_elbo(
    model: nn.Module, train: PackedBatches, validation: PackedBatches, config: TrainingConfig, precision: str
) -> list[EpochFigures]:
    """Train `model` in place with Adam, and leave it with the weights of its best epoch on validation people.

    The model's forward gives log-odds, mean and log-variance. Returns the figures of every epoch that ran.
    The same seed gives the same weights with the same torch build, threads and device; the caller's torch
    random state is left as it was.
    """
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError as error:
        raise MissingExtraError("lightning-fabric", "models", "Training a model") from error

    fabric = Fabric(accelerator=train.device.type, devices=1, precision=precision)  # type: ignore[arg-type]
    rng = np.random.default_rng(config.seed)
    history: list[EpochFigures] = []
    best: dict[str, torch.Tensor] = {}
    best_loss, best_epoch = float("inf"), 0
    cuda = [train.device] if train.device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda), progress.task("Training", config.epochs) as advance:
        torch.manual_seed(config.seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
        wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
        for epoch in range(1, config.epochs + 1):
            start = time.perf_counter()
            sums = np.zeros(2)
            wrapped.train()
            for alleles in train.shuffled(rng):
                wrapped_optimizer.zero_grad()
                terms = elbo_terms(alleles, *wrapped(alleles))
                fabric.backward(terms.loss(config.beta))
                wrapped_optimizer.step()
                sums += len(alleles) * np.array([terms.reconstruction.item(), terms.kl.item()])
            reconstruction, kl = (sums / train.panel.n_haplotypes).tolist()
            held_out = evaluate_elbo(wrapped, validation, config.seed)
            loss = held_out[0] + config.beta * held_out[1]
            figures = EpochFigures(epoch, reconstruction, kl, *held_out, loss, time.perf_counter() - start)
            history.append(figures)
            advance(loss=reconstruction + config.beta * kl, validation=figures.validation_loss)
            if figures.validation_loss < best_loss:
                best_loss, best_epoch = figures.validation_loss, epoch
                best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
            elif epoch - best_epoch >= config.patience:
                break
    if not best:
        raise HaploomError("training gave no finite loss on the validation people: try a smaller --learning-rate")
    model.load_state_dict(best)
    model.eval()
    return history


@torch.no_grad()
def evaluate_elbo(model: nn.Module, batches: PackedBatches, seed: int) -> tuple[float, float]:
    """Mean reconstruction and KL, nats per haplotype, in evaluation mode; the mode is restored.

    The latents are drawn with the same noise at every call, so that epochs are compared on equal terms.
    """
    was_training = model.training
    model.eval()
    sums = np.zeros(2)
    cuda = [batches.device] if batches.device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        for alleles in batches.in_order():
            terms = elbo_terms(alleles, *model(alleles))
            sums += len(alleles) * np.array([terms.reconstruction.item(), terms.kl.item()])
    model.train(was_training)
    reconstruction, kl = sums / batches.panel.n_haplotypes
    return float(reconstruction), float(kl)
