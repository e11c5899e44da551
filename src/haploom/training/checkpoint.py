"""A training on disk, so that it can go on after it was stopped: one safetensors file, no pickle."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from haploom.errors import CorruptModelError, HaploomError
from haploom.io.output import atomic_output

if TYPE_CHECKING:
    from haploom.training.loop import EpochFigures

SECONDS_BETWEEN = (
    30.0  # a checkpoint is about four times the model: writing it after every epoch would cost more than most epochs
)
_METADATA_KEY = "haploom-checkpoint"


@dataclass(frozen=True)
class State:
    """What a checkpoint holds beside what it puts into model and optimiser.

    history: figures of the epochs that ran. best: the weights of the best of them.
    """

    history: list[dict[str, Any]]
    best: dict[str, Tensor]


class Checkpoint:
    """The checkpoint of one training.

    path: where it is. task: JSON-able facts that must not change between runs (data, split, settings).
    resume: go on from the file that is there, if there is one.
    """

    def __init__(self, path: Path, task: Mapping[str, Any], resume: bool = False) -> None:
        self.path, self.task, self.resume = path, dict(task), resume
        self._last_saved = time.monotonic()

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> State | None:
        """Put the saved run into model and optimiser. None when there is nothing to resume.

        Raises HaploomError when the file is of another training, CorruptModelError when it cannot be read.
        """
        if not (self.resume and self.path.exists()):
            return None
        try:
            with safe_open(self.path, framework="pt") as opened:
                facts = json.loads((opened.metadata() or {})[_METADATA_KEY])
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise CorruptModelError(
                f"{self.path} is not a checkpoint, or it is damaged: delete it ({error})"
            ) from error
        if facts["task"] != json.loads(json.dumps(self.task)):
            changed = sorted(
                key for key in self.task if facts["task"].get(key) != json.loads(json.dumps(self.task[key]))
            )
            raise HaploomError(
                f"{self.path} is the checkpoint of another training (different: {', '.join(changed)}): repeat that "
                "training's options, or delete the file to start anew"
            )
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = tensor
        model.load_state_dict(groups["model"])
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["optimizer"].items():
            place, _, key = name.partition("/")
            states.setdefault(int(place), {})[key] = tensor
        optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        device = next(model.parameters()).device
        return State(facts["history"], {name: tensor.to(device) for name, tensor in groups["best"].items()})

    def save_now_and_then(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, best: Mapping[str, Tensor],
        history: Sequence["EpochFigures"],
    ) -> None:  # fmt: skip
        """Save, unless that was done a moment ago."""
        if time.monotonic() - self._last_saved < SECONDS_BETWEEN:
            return
        tensors = {
            **{f"model/{name}": tensor for name, tensor in model.state_dict().items()},
            **{f"best/{name}": tensor for name, tensor in best.items()},
            **{
                f"optimizer/{place}/{key}": tensor
                for place, state in optimizer.state_dict()["state"].items()
                for key, tensor in state.items()
            },
        }
        facts = {"task": self.task, "history": [asdict(figures) for figures in history]}
        with atomic_output(self.path, force=True) as partial:
            copies = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
            save_file(copies, partial, metadata={_METADATA_KEY: json.dumps(facts)})
        self._last_saved = time.monotonic()

    def remove(self) -> None:
        """When the training has ended well."""
        self.path.unlink(missing_ok=True)
