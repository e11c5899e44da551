"""The training loop, on Lightning Fabric: one for every model and any number of processes.

What is drawn for a batch (its rows, its noise, what is hidden) depends on the seed, the epoch and the place in the
epoch alone, and is drawn for the batch as a whole: each process takes its share of it. So a run that was stopped goes
on as if it had not been, and two processes do what one does.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from haploom import progress
from haploom.errors import HaploomError
from haploom.models.encoder import rows_at_once
from haploom.models.model import Batch, HaplotypeModel
from haploom.training.averaging import WeightAverage
from haploom.training.checkpoint import Checkpoint
from haploom.training.config import TrainingConfig
from haploom.training.dataset import PanelDataset, batches, n_batches
from haploom.training.epochs import EpochFigures, best_epoch, stopped
from haploom.training.memory import freed_memory_kept
from haploom.training.mosaics import recombine

if TYPE_CHECKING:
    from lightning_fabric import Fabric

ROWS_DRAWN, NOISE_DRAWN, HIDDEN_DRAWN, WEIGHTS_DRAWN, CROSSOVERS_DRAWN = range(5)  # which random numbers of an epoch


def train_network(
    model: HaplotypeModel,
    train: PanelDataset,
    validation: PanelDataset,
    config: TrainingConfig,
    fabric: "Fabric",
    checkpoint: Checkpoint | None = None,
) -> list[EpochFigures]:
    """Train `model` in place, and leave it with the weights of its best epoch on validation people.

    Returns the figures of every epoch that ran, those before a resumed checkpoint too. The same seed gives the same
    weights with the same torch build, threads and device; the caller's torch random state is left as it was.
    """
    device = fabric.device
    cuda = [device] if device.type == "cuda" else []
    optimizer = _optimizer(model, config)
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    run = BatchShares(fabric, train, config)
    average = WeightAverage(model, config.average)
    state = checkpoint.load(model, optimizer, average.network) if checkpoint else None
    history: list[EpochFigures] = [EpochFigures(**figures) for figures in state.history] if state else []
    _check_alike(fabric, len(history))
    best = state.best if state else {}
    n_epochs = config.epochs_of(run.n_batches)
    epochs = range(0) if state and state.finished else range(len(history) + 1, n_epochs + 1)
    showing = progress.task("Training", n_epochs) if fabric.is_global_zero else progress.unseen()
    with torch.random.fork_rng(devices=cuda), freed_memory_kept(), showing as advance:
        for figures in history:
            advance(1, validation=figures.validation_loss)
        for epoch in epochs:
            if stopped(history, config.patience):
                break
            start = time.perf_counter()
            torch.manual_seed(_seed(config.seed, epoch, WEIGHTS_DRAWN, fabric.global_rank))  # for dropout
            weights = {"kl": config.beta * min(1.0, epoch / config.warm_up if config.warm_up else 1.0)}
            model.train()
            sums = Sums()
            for place, (batch, noise, share) in enumerate(run.epoch(epoch, model.noise_shape)):
                rate = learning_rate(config, history, n_epochs, place / run.n_batches)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                wrapped_optimizer.zero_grad()
                terms = wrapped(batch, noise)
                # The mean over the rows of all processes: each one's gradients are averaged over processes.
                fabric.backward(weighted(terms.losses, weights) * share)
                wrapped_optimizer.step()
                average.follow(model, (epoch - 1) * run.n_batches + place + 1)
                sums.add(terms.losses, terms.monitors, len(batch.counts))
            trained = sums.means(fabric)
            held_out = evaluate(average.network, validation, config.seed, fabric)
            loss = sum(held_out[name] * (config.beta if name == "kl" else 1.0) for name in sums.losses)
            figures = EpochFigures(epoch, trained, held_out, loss, rate, time.perf_counter() - start)
            history.append(figures)
            advance(1, **{name: trained[name] for name in sums.losses}, validation=loss)
            if best_epoch(history) is figures and math.isfinite(loss):
                best = {name: tensor.detach().clone() for name, tensor in average.network.state_dict().items()}
            if checkpoint and fabric.is_global_zero:
                checkpoint.save_now_and_then(model, optimizer, average.network, best, history)
    if not best:
        raise HaploomError("training gave no finite loss on the validation people: try a smaller --learning-rate")
    if checkpoint and fabric.is_global_zero and epochs:
        checkpoint.save_finished(best, history)
    model.load_state_dict(best)
    model.eval()
    return history


def _check_alike(fabric: "Fabric", epochs_run: int) -> None:
    """Raises HaploomError when some processes found a checkpoint and others did not."""
    if fabric.world_size > 1 and fabric.broadcast(epochs_run) != epochs_run:
        raise HaploomError("processes found different checkpoints: machines that train together share the folder of -o")


def learning_rate(config: TrainingConfig, history: Sequence[EpochFigures], n_epochs: int, share: float = 0.0) -> float:
    """The rate of a step of at most `n_epochs`, from those before its own and the share of its own that has passed."""
    passed = len(history) + share
    rate, since = config.learning_rate, 0
    if passed < config.rate_warm_up:
        rate *= (passed + 0.1) / (config.rate_warm_up + 0.1)
    if config.schedule == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * passed / n_epochs))
    if config.schedule == "plateau":
        best = math.inf
        for figures in history:
            since = 0 if figures.validation_loss < best else since + 1
            best = min(best, figures.validation_loss)
            if since > config.plateau_patience:
                rate, since = rate / 10, 0
    return rate


def weighted(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Sum over terms of weight (1 where none is given) times the mean over rows."""
    return torch.stack([weights.get(name, 1.0) * nats.mean() for name, nats in losses.items()]).sum()


@torch.no_grad()
def evaluate(model: HaplotypeModel, data: PanelDataset, seed: int, fabric: "Fabric | None" = None) -> dict[str, float]:
    """Means of every term over the rows, in nats, in evaluation mode; the mode is restored.

    The noise is the same at every call and for any number of processes, so that epochs are compared on equal terms.
    """
    was_training = model.training
    model.eval()
    device = model.frequency.device
    sums = Sums()
    rank, world = (fabric.global_rank, fabric.world_size) if fabric else (0, 1)
    for place, rows in enumerate(batches(len(data), rows_at_once(data.n_sites))):
        # Of epoch 0, where nothing is trained: no batch of training has the same noise.
        noise = _noise(_seed(seed, 0, NOISE_DRAWN, place), len(rows), model.noise_shape)
        mine = np.array_split(np.arange(len(rows)), world)[rank]
        shown = mine if len(mine) else np.array([0])  # a process without rows of its own still knows the terms
        terms = model(data.batch(rows[shown], device), None if noise is None else noise[shown].to(device))
        sums.add(terms.losses, terms.monitors, len(mine))
    model.train(was_training)
    return sums.means(fabric)


class Sums:
    """Sums of terms over rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.losses: list[str] = []
        self._sums: dict[str, Tensor] = {}

    def add(self, losses: Mapping[str, Tensor], monitors: Mapping[str, Tensor], n_rows: int) -> None:
        self.rows += n_rows
        self.losses = list(losses)
        for name, values in {**losses, **monitors}.items():
            total = values.detach().double().mean() * n_rows
            self._sums[name] = self._sums[name] + total if name in self._sums else total

    def means(self, fabric: "Fabric | None") -> dict[str, float]:
        """Over the rows of all processes."""
        totals = torch.stack(list(self._sums.values()))
        totals = torch.cat([totals, totals.new_tensor([self.rows])])
        if fabric is not None and fabric.world_size > 1:
            totals = fabric.all_reduce(totals, reduce_op="sum")  # type: ignore[assignment]
        *values, rows = totals.tolist()
        return {name: value / rows for name, value in zip(self._sums, values)}


class BatchShares:
    """What one process gets of each batch."""

    def __init__(self, fabric: "Fabric", train: PanelDataset, config: TrainingConfig) -> None:
        self.fabric, self.train, self.config = fabric, train, config
        self.crossovers = config.crossovers_per_mb * train.span_mb
        self.n_batches = n_batches(len(train), config.batch_size)
        smallest = len(train) // self.n_batches
        if smallest < fabric.world_size:
            raise HaploomError(
                f"{fabric.world_size} processes share batches of {smallest} rows, and each needs one: "
                "use fewer --processes or a larger --batch-size"
            )

    def epoch(self, epoch: int, noise_shape: tuple[int, ...] | None) -> Iterator[tuple[Batch, Tensor | None, float]]:
        """(batch, noise, weight) for every batch; the weight makes processes with unequal shares count alike."""
        config, device, world = self.config, self.fabric.device, self.fabric.world_size
        rng = np.random.default_rng([config.seed, epoch, ROWS_DRAWN])
        for place, rows in enumerate(batches(len(self.train), config.batch_size, rng)):
            noise = _noise(_seed(config.seed, epoch, NOISE_DRAWN, place), len(rows), noise_shape)
            mine = np.array_split(np.arange(len(rows)), world)[self.fabric.global_rank]
            batch = self.train.batch(rows[mine], device, self._recombined(epoch, place, rows)[mine])
            if config.hidden_share:
                batch = batch._replace(shown=self._shown(epoch, place, len(rows))[mine].to(device))
            share = len(mine) * world / len(rows)
            yield batch, None if noise is None else noise[mine].to(device), share

    def _recombined(self, epoch: int, place: int, rows: np.ndarray) -> np.ndarray:
        """What the rows of a batch hold after recombination."""
        columns = self.train.columns
        if not self.crossovers:
            return columns[rows]
        rng = np.random.default_rng([self.config.seed, epoch, CROSSOVERS_DRAWN, place])
        return recombine(columns, rows, self.train.labels, self.crossovers, rng)

    def _shown(self, epoch: int, place: int, n_rows: int) -> Tensor:
        """Which calls the encoder sees: each row hides a share of its own, up to `hidden_share`."""
        generator = torch.Generator().manual_seed(_seed(self.config.seed, epoch, HIDDEN_DRAWN, place))
        share = self.config.hidden_share * torch.rand((n_rows, 1), generator=generator)
        return torch.rand((n_rows, self.train.n_sites), generator=generator) >= share


def _noise(seed: int, n_rows: int, shape: tuple[int, ...] | None) -> Tensor | None:
    if shape is None:
        return None
    return torch.randn((n_rows, *shape), generator=torch.Generator().manual_seed(seed))


def _seed(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[config.optimizer](
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
