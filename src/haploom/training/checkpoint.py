"""A training on disk, so that it can go on after it was stopped: one safetensors file, no pickle."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from haploom.errors import CorruptModelError, HaploomError
from haploom.io.model_file import content_sha256
from haploom.io.output import atomic_output
from haploom.training.epochs import EpochFigures

# A checkpoint is about four times the model: writing it after every epoch would cost more than most epochs.
SECONDS_BETWEEN = 30.0
_METADATA_KEY = "haploom-checkpoint"


@dataclass(frozen=True)
class State:
    """What a checkpoint holds beside what it puts into model and optimiser.

    history: figures of the epochs that ran. best: the weights of the best of them. finished: nothing is left to do.
    """

    history: list[dict[str, Any]]
    best: dict[str, Tensor]
    finished: bool


class Checkpoint:
    """The checkpoint of one training.

    path: where it is. task: JSON-able facts that must not change between runs (data, split, settings).
    resume: go on from the file that is there, if there is one.
    """

    def __init__(self, path: Path, task: Mapping[str, Any], resume: bool = False) -> None:
        self.path, self.resume = path, resume
        self.task: dict[str, Any] = json.loads(json.dumps(task))
        self._last_saved = time.monotonic()

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module) -> State | None:
        """Put the saved run into model, optimiser and the average of the weights. None when there is nothing to resume.

        Raises HaploomError when the file is of another training, CorruptModelError when it is damaged.
        """
        if not (self.resume and self.path.exists()):
            return None
        facts, groups = self._read()
        if changed := sorted(_differences(facts["task"], self.task)):
            raise HaploomError(
                f"{self.path} is the checkpoint of another training (different: {', '.join(changed)}): repeat that "
                "training's input and options, or delete the file to start anew"
            )
        if not facts["finished"]:
            model.load_state_dict(groups["model"])
            if average is not model:
                average.load_state_dict(groups["average"])
            states: dict[int, dict[str, Tensor]] = {}
            for name, tensor in groups["optimizer"].items():
                place, _, key = name.partition("/")
                states.setdefault(int(place), {})[key] = tensor
            optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        device = next(model.parameters()).device
        best = {name: tensor.to(device) for name, tensor in groups["best"].items()}
        return State(facts["history"], best, facts["finished"])

    def save_now_and_then(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module, best: Mapping[str, Tensor],
        history: Sequence[EpochFigures],
    ) -> None:  # fmt: skip
        """Save, unless that was done a moment ago."""
        if time.monotonic() - self._last_saved < SECONDS_BETWEEN:
            return
        states = optimizer.state_dict()["state"].items()
        optimizer_state = {f"{place}/{key}": tensor for place, state in states for key, tensor in state.items()}
        groups = {"model": model.state_dict(), "best": best, "optimizer": optimizer_state}
        if average is not model:
            groups["average"] = average.state_dict()
        self._write(groups, history, False)
        self._last_saved = time.monotonic()

    def save_finished(self, best: Mapping[str, Tensor], history: Sequence[EpochFigures]) -> None:
        """Save what the training ended with, until the model file is written."""
        self._write({"best": best}, history, True)

    def _write(
        self, groups: Mapping[str, Mapping[str, Tensor]], history: Sequence[EpochFigures], finished: bool
    ) -> None:
        tensors = {
            f"{group}/{name}": tensor.detach().cpu().clone()
            for group, part in groups.items()
            for name, tensor in part.items()
        }
        facts = json.dumps(
            {"task": self.task, "history": [asdict(figures) for figures in history], "finished": finished}
        )
        metadata = {_METADATA_KEY: facts, "sha256": _sha256(facts, tensors)}
        with atomic_output(self.path, force=True) as partial:
            try:
                save_file(tensors, partial, metadata=metadata)
            except SafetensorError as error:  # a full disk, too
                raise HaploomError(f"cannot write {self.path}: {error}") from error

    def _read(self) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
        """The facts, and the tensors by group and name."""
        try:
            with safe_open(self.path, framework="pt") as opened:
                metadata = opened.metadata() or {}
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
            whole = metadata["sha256"] == _sha256(metadata[_METADATA_KEY], tensors)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise CorruptModelError(
                f"{self.path} is not a checkpoint, or it is damaged: delete it to start anew ({error})"
            ) from error
        if not whole:
            raise CorruptModelError(
                f"{self.path} is damaged: its content has not the SHA-256 written in it. Delete it to start anew."
            )
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}, "average": {}}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = tensor
        return json.loads(metadata[_METADATA_KEY]), groups


def _sha256(facts: str, tensors: Mapping[str, Tensor]) -> str:
    return content_sha256(facts, {name: tensor.numpy() for name, tensor in tensors.items()})


def _differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Names of the facts that differ, `training.epochs` for one of several."""
    for name in saved.keys() | wanted.keys():
        one, other = saved.get(name), wanted.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from (f"{name}.{inner}" for inner in _differences(one, other))
        elif one != other:
            yield name
