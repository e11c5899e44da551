"""Training in several processes that share each batch: started here, or by torchrun on one machine or many."""

import logging
import multiprocessing
import os
import pickle
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError
from haploom.training.devices import precision_for
from haploom.training.job import Job, Outcome
from haploom.training.threads import use_threads

if TYPE_CHECKING:
    from lightning_fabric import Fabric

for announcer in ("distributed", "rank_zero"):  # of every process that starts
    logging.getLogger(f"lightning_fabric.utilities.{announcer}").setLevel(logging.WARNING)
logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)  # it tells which processes it ends


def started_by_torchrun() -> bool:
    """Whether this process is one of several that torchrun started."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first_process() -> bool:
    """Whether this process writes the files and talks to the person."""
    return not started_by_torchrun() or os.environ["RANK"] == "0"


def how_many(processes: int) -> int:
    """Processes that share a batch, where `processes` were asked for."""
    return int(os.environ["WORLD_SIZE"]) if started_by_torchrun() else processes


def run_job(job: Job, device: torch.device, processes: int = 1) -> Outcome:
    """Train a network in so many processes on this machine, or in those of torchrun; all get the outcome.

    Threads are shared among the processes. Raises HaploomError, also when a process was ended from outside.
    """
    if started_by_torchrun():
        if processes > 1:
            raise HaploomError("torchrun has started the processes already: leave --processes out")
        fabric = _fabric(
            device, strategy="ddp", devices=int(os.environ["LOCAL_WORLD_SIZE"]),
            num_nodes=how_many(1) // int(os.environ["LOCAL_WORLD_SIZE"]),
        )  # fmt: skip
        fabric.launch()
        return job.run(fabric)
    if processes == 1:
        return job.run(single_process(device))
    if device.type == "cuda" and processes > torch.cuda.device_count():
        raise HaploomError(f"{processes} processes need a GPU each, and there are {torch.cuda.device_count()}")
    fabric = _fabric(device, strategy="ddp_spawn", devices=processes)
    threads = max(1, torch.get_num_threads() // processes)
    with tempfile.TemporaryDirectory() as folder:
        try:
            # A partial: Fabric looks into arguments for modules, and stumbles over frozen dataclasses.
            with children_end_with_this():
                fabric.launch(
                    partial(_work, job=job, folder=Path(folder), threads=threads, display=progress.current_display())
                )
        except ProcessRaisedException:
            if told := sorted(Path(folder).glob("error-*")):
                raise HaploomError(told[0].read_text()) from None
            raise
        except ProcessExitedException as error:
            raise HaploomError(
                f"a training process was ended from outside ({error}): was there too little memory? "
                "Repeat the command with --resume to go on from its last checkpoint"
            ) from error
        outcome: Outcome = pickle.loads((Path(folder) / "outcome").read_bytes())  # written by our own process
    return outcome


@contextmanager
def children_end_with_this() -> Iterator[None]:
    """Processes started meanwhile are ended when this one fails or is interrupted: training may take them hours."""
    others = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise


def leave_interrupts_to_parent() -> None:
    """In a child: a terminal sends Ctrl-C to all processes, and the parent ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def single_process(device: torch.device) -> "Fabric":
    """Fabric of this process alone."""
    return _fabric(device, devices=1 if device.index is None else [device.index])


def _work(fabric: "Fabric", job: Job, folder: Path, threads: int, display: progress.Display | None) -> None:
    """In a process of its own. Files take the result back: a queue would block on more than a pipe holds."""
    leave_interrupts_to_parent()
    use_threads(threads)
    try:
        with progress.show_with(display):
            outcome = job.run(fabric)
    except HaploomError as error:
        (folder / f"error-{fabric.global_rank}").write_text(str(error))
        raise
    if fabric.is_global_zero:
        (folder / "outcome").write_bytes(pickle.dumps(outcome))


def _fabric(device: torch.device, **settings: Any) -> "Fabric":
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError as error:
        raise MissingExtraError("lightning-fabric", "models", "Training a model") from error
    return Fabric(accelerator=device.type, precision=precision_for(device), **settings)  # type: ignore[arg-type]
