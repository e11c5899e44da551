"""One network to train, with all it takes: what is handed to the process, or processes, that train it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from haploom.errors import HaploomError
from haploom.models.model import HaplotypeModel, ModelConfig
from haploom.models.network import build_network
from haploom.training.checkpoint import Checkpoint
from haploom.training.config import TrainingConfig
from haploom.training.dataset import PanelDataset
from haploom.training.epochs import EpochFigures
from haploom.training.loop import train_network

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Outcome(NamedTuple):
    """weights: those of the best epoch, by name. history: figures of every epoch."""

    weights: Mapping[str, np.ndarray]
    history: list[EpochFigures]


@dataclass(frozen=True, eq=False)
class Job:
    """A network of a kind, the rows it learns from, those its epoch is chosen by, and how.

    checkpoint: save the training here now and then; resume: go on from that file, if it is there.
    """

    kind: str
    settings: ModelConfig
    train: PanelDataset
    validation: PanelDataset
    config: TrainingConfig
    checkpoint: Path | None = None
    resume: bool = False

    def new_network(self) -> HaplotypeModel:
        """On the CPU, as it is before the first step: drawn by the seed, with the training rows' frequencies.

        Raises HaploomError when it does not fit in memory.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            try:
                network = build_network(self.kind, self.settings)
            except (RuntimeError, TypeError) as error:  # torch has no class of its own for these
                if not any(word in str(error) for word in ("allocate", "verflow")):
                    raise
                sizes = ", ".join(f"{name} {value}" for name, value in self.settings.as_dict().items())
                raise HaploomError(
                    f"there is no memory for a {self.kind} of these sizes ({sizes}): choose a smaller --latent, or "
                    "fewer sites"
                ) from error
        network.start_at(self.train.frequencies())
        return network

    def run(self, fabric: "Fabric") -> Outcome:
        """Train it, in the one process of `fabric` or in all of them at once. Raises HaploomError."""
        network = self.new_network()
        saved = Checkpoint(self.checkpoint, self._facts(fabric), self.resume) if self.checkpoint else None
        history = train_network(network, self.train, self.validation, self.config, fabric, saved)
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
        return Outcome(weights, history)

    def _facts(self, fabric: "Fabric") -> dict[str, Any]:
        """What the weights depend on: a checkpoint of anything else is refused."""
        return {
            "kind": self.kind, "settings": self.settings.as_dict(), "training": self.config.as_dict(),
            "data": {"train": self.train.fingerprint(), "validation": self.validation.fingerprint()},
            "threads": torch.get_num_threads(), "processes": fabric.world_size, "device": fabric.device.type,
        }  # fmt: skip
