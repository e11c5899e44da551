"""From a panel and a split to a model file."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile
from haploom.models.network import CONDITIONED, KINDS, load_weights
from haploom.panel import DosagePanel, Panel, Split
from haploom.parallel import Workers
from haploom.training.card import kept_epochs, model_card, model_file
from haploom.training.config import TrainingConfig
from haploom.training.dataset import PanelDataset
from haploom.training.devices import choose_device
from haploom.training.epochs import EpochFigures
from haploom.training.job import Job
from haploom.training.members import member_checkpoint, train_members
from haploom.training.principal_components import PCAConfig, fit_pca
from haploom.training.processes import how_many, run_job
from haploom.training.profiles import profile_of
from haploom.training.threads import one_thread


@dataclass(frozen=True)
class Training:
    """A finished training: the model, ready to be written, and the figures of each epoch.

    checkpoints: files to delete once the model is written.
    """

    model: ModelFile
    history: list[EpochFigures]
    checkpoints: tuple[Path, ...] = ()

    @property
    def kept(self) -> EpochFigures:
        """The epoch whose weights were kept. Raises ValueError for a Y-VAE, which keeps one for each label."""
        (only,) = kept_epochs(self.history).values()
        return only


def train_model(
    panel: Panel | DosagePanel,
    split: Split,
    level: str,
    *,
    kind: str = "vae",
    profile: str = "sound",
    settings: Mapping[str, Any] | None = None,
    config: TrainingConfig | None = None,
    shape: Mapping[str, Any] | None = None,
    maf: float = 0.0,
    by_label: bool = False,
    device: str = "auto",
    processes: int | None = None,
    dask: str | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Training:
    """Train a model on the training people of a panel, choosing the epoch by the validation people.

    panel: phased haplotypes, or unphased dosages (rows are then people, under a Binomial likelihood).
    level: the label level whose classes the model remembers.
    kind, profile: see `training.profiles`. settings: of training, instead of the profile's own, such as
    {"epochs": 20}. config: all of them at once; the model then says that its profile is "custom".
    shape: settings of the network beside or instead of the profile's, such as {"n_latent": 32}.
    maf: only sites whose minor-allele frequency among the training people is above it.
    by_label: tell the network each row's label, where its kind can do without (autoregressive).
    device: "auto", "cpu", "cuda" or "cuda:1".
    processes: how many share each batch (1 by default), or how many of a Y-VAE's members are trained at a time (by
    default as many as torch has threads). More than one must be started under `if __name__ == "__main__"`.
    dask: train a Y-VAE's members on this Dask scheduler's workers, or on `processes` of a cluster here ("local").
    checkpoint: save the training here now and then (a Y-VAE's members: here with .0, .1 after the name); resume: go on
    from there, if anything is there.

    The same seed gives the same model with the same torch, threads, processes and device; a Y-VAE on a CPU whatever
    the threads and processes. The test people of the split are not looked at. Raises HaploomError when a part is too
    small to train on.
    """
    chosen = profile_of(kind, profile)
    if config is not None:
        profile = "custom"
    else:
        config = chosen.training.changed(**(settings or {}))
    train_part, validation_part = (
        panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "validation")
    )
    if train_part.n_samples < 2:
        raise HaploomError(f"training needs two people or more, the split leaves {train_part.n_samples}")
    if maf > 0:
        kept_sites = _common_sites(train_part, maf)
        train_part, validation_part = train_part.select_sites(kept_sites), validation_part.select_sites(kept_sites)
    if not train_part.n_sites:
        raise HaploomError("the panel has no sites to train on: is the selection of sites that of another file?")
    train = PanelDataset(train_part, level)
    validation = PanelDataset(validation_part, level, train.label_names)

    target = choose_device(device)
    dimensions = {
        "n_sites": train.n_sites, "ploidy": train.ploidy,
        **({"n_labels": len(train.label_names)} if by_label or kind in CONDITIONED else {}),
        **chosen.shape, **(shape or {}),
    }  # fmt: skip
    config_type = PCAConfig if kind == "pca" else KINDS[kind][0]
    if unknown := sorted(dimensions.keys() - {each.name for each in fields(config_type)}):
        raise HaploomError(f"a model of kind {kind} has no {unknown[0]}: leave it out, or choose another kind")
    if dask is not None and kind != "yvae":
        raise HaploomError(
            f"a model of kind {kind} is one network, not parts for a Dask cluster: train it in several processes (with "
            "--processes or torchrun)"
        )
    job = Job(kind, config_type(**dimensions), train, validation, config, checkpoint, resume)
    if kind == "pca":
        arrays, history, facts = fit_pca(job)
        card = model_card(
            job, {**facts, "maf": maf}, history, people=panel.samples, split=split, level=level, profile=profile
        )
        return Training(ModelFile(card, train.panel.variants, arrays), history)
    apart = kind == "yvae"
    outcome = (
        train_members(job, target, Workers(count=processes or torch.get_num_threads(), dask=dask))
        if apart
        else run_job(job, target, processes or 1)
    )
    with one_thread() if apart else nullcontext():
        network = job.new_network()
        load_weights(network, outcome.weights)
        model = model_file(
            network.eval(), job, outcome.history, people=panel.samples, split=split, level=level, profile=profile,
            maf=maf, device=target, processes=1 if apart else how_many(processes or 1),
        )  # fmt: skip
    return Training(model, outcome.history, _checkpoints(job) if checkpoint else ())


def _checkpoints(job: Job) -> tuple[Path, ...]:
    assert job.checkpoint is not None
    if job.kind != "yvae":
        return (job.checkpoint,)
    return tuple(member_checkpoint(job.checkpoint, place) for place in range(len(job.train.label_names)))


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
