"""The Y-VAE's members: a VAE for each label, trained on the people of that label, side by side.

Each is trained in one process on one thread, so that its bytes do not depend on where it ran, nor on how many ran
beside it.
"""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from haploom import progress
from haploom.errors import HaploomError
from haploom.models.yvae import YVAEConfig
from haploom.parallel import Workers, run_parts
from haploom.training.dataset import PanelDataset
from haploom.training.job import Job, Outcome
from haploom.training.processes import single_process, started_by_torchrun
from haploom.training.threads import one_thread

logger = logging.getLogger(__name__)


def member_jobs(job: Job) -> list[Job]:
    """A job for each label of a Y-VAE's job, in the order of its labels; checkpoints are named PATH.0 and so on.

    Where a label has no validation people, the epoch is chosen by its training people, with a warning. Raises
    HaploomError where a label has one training person only.
    """
    assert isinstance(job.settings, YVAEConfig)
    jobs = []
    for place, label in enumerate(job.train.label_names):
        train, validation = _of_label(job.train, place), _of_label(job.validation, place)
        if train.panel.n_samples < 2:
            raise HaploomError(
                f"label {label} has one training person, and a Y-VAE trains a network on each label's people: leave "
                "those people out (-S ^FILE), merge labels, or train --kind cvae"
            )
        if len(validation) == 0:
            logger.warning(
                "%s has no validation people: its epoch is chosen by its training people, which favours learning "
                "them by heart", label,
            )  # fmt: skip
            validation = train
        seed = int(np.random.SeedSequence([job.config.seed, place]).generate_state(1)[0])
        checkpoint = member_checkpoint(job.checkpoint, place) if job.checkpoint else None
        config = replace(job.config, seed=seed)
        jobs.append(Job("vae", job.settings.member(), train, validation, config, checkpoint, job.resume))
    return jobs


def member_checkpoint(checkpoint: Path, place: int) -> Path:
    """Where the member of one label saves its training."""
    return checkpoint.with_name(f"{checkpoint.name}.{place}")


def train_members(job: Job, device: torch.device, workers: Workers) -> Outcome:
    """Train the members of a Y-VAE, and put them together. The history names the labels.

    Raises HaploomError, also where a worker was ended from outside again and again.
    """
    if started_by_torchrun():
        raise HaploomError("a yvae is many small networks: train it on one machine with --processes, not with torchrun")
    jobs = member_jobs(job)
    where = replace(workers, count=min(workers.count, len(jobs)))
    train = partial(_train_member, device)
    outcomes = dict(run_parts(train, jobs, where, label="Training a network for each label", total=len(jobs)))
    weights = {"frequency": job.train.frequencies().numpy()}
    history = []
    for place, label in enumerate(job.train.label_names):
        weights |= {f"members.{place}.{name}": array for name, array in outcomes[place].weights.items()}
        history += [replace(figures, label=label) for figures in outcomes[place].history]
    return Outcome(weights, history)


def _train_member(device: torch.device, job: Job) -> Outcome:
    with one_thread(), progress.show_with(None):
        return job.run(single_process(device))


def _of_label(data: PanelDataset, place: int) -> PanelDataset:
    """The people of one label, without their labels."""
    assert data.labels is not None
    people = data.labels[:: 2 // data.ploidy] == place
    panel = data.panel
    return PanelDataset(panel.select_samples([name for name, chosen in zip(panel.samples, people) if chosen]))
