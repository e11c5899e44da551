"""How many bits held-out haplotypes cost under a model: as its loss says, and as really stored.

A model is a code: an allele of probability p costs -log2 p bits. For an autoencoder the loss is a bound on that. Here
the bits are really written, and read back: by the range coder for a model that says each allele's probability, and
by bits-back coding with integer networks for a variational autoencoder. Sizes of model files are told apart.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from haploom import provenance
from haploom.archive.bits_back import BitsBack
from haploom.baselines.independent_sites import IndependentSites
from haploom.baselines.li_stephens import LiStephens
from haploom.entropy_coding.allele_stream import code_alleles, decode_alleles
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, panel_at_sites
from haploom.models.autoregressive import Autoregressive
from haploom.models.encoder import packed_batches, rows_at_once
from haploom.models.model import HaplotypeModel
from haploom.models.network import CONDITIONED, load_network
from haploom.models.to_exact import exact_decoder, exact_encoder
from haploom.models.vae import VAE
from haploom.panel import Panel
from haploom.training.dataset import PanelDataset
from haploom.training.loop import evaluate

TYPICAL_ROWS = 512  # training haplotypes that set the scale of the integer networks
LEAST_PROBABILITY = 1 / 65536  # the range coder's


@dataclass(frozen=True)
class CodeLength:
    """Bits per site of held-out haplotypes.

    bound: by the model's loss, in floats: terms by name. stored: by the bytes written, and read back; None where no
    coder is there for the kind. coder: what wrote them.
    """

    bound: dict[str, float]
    stored: float | None
    coder: str | None

    @property
    def total(self) -> float:
        """The bound: the sum of its terms."""
        return sum(self.bound.values())


def code_length(model: ModelFile, panel: Panel, part: str = "test", seed: int = 1) -> CodeLength:
    """Of the people of a part of the model's split, under the model.

    panel: holds them, and the model's training people, at the model's sites. Models conditioned on labels are told
    them, which costs nothing here. Raises HaploomError for a kind whose loss is no code length, or a model of people.
    """
    network = load_network(model)
    if network.config.ploidy != 1 or not network.code_terms:
        raise HaploomError(f"the loss of this model (kind {model.card.kind}) is no code length of haplotypes")
    panel = panel_at_sites(panel, model)
    train, held_out = (panel.select_samples(model.split.samples(each, panel.samples)) for each in ("train", part))
    level = model.card.label_level if model.card.kind in CONDITIONED or network.config.n_labels else None
    figures = evaluate(network, PanelDataset(held_out, level, model.labels if level else None), seed)
    bits = {name: nats / math.log(2) / panel.n_sites for name, nats in figures.items() if name in network.code_terms}
    stored = _stored(network, train, held_out)
    return CodeLength(bits, *stored)


def _stored(network: HaplotypeModel, train: Panel, held_out: Panel) -> tuple[float | None, str | None]:
    """Bits per site as written, and by what."""
    if isinstance(network, Autoregressive) and not network.config.n_labels:
        n_bytes = sum(map(len, _range_coded(network, held_out)))
        return 8 * n_bytes / (held_out.n_haplotypes * held_out.n_sites), "range coder"
    if isinstance(network, VAE) and not network.config.n_labels:
        codec = bits_back_codec(network, train)
        alleles = held_out.alleles()
        data = codec.encode(alleles)
        if not np.array_equal(codec.decode(data, len(alleles)), alleles):
            raise AssertionError("bits-back coding did not give back what was stored")
        return 8 * len(data) / alleles.size, "bits-back"
    return None, None


def bits_back_codec(network: VAE, train: Panel) -> BitsBack:
    """A codec from a trained VAE; the training haplotypes set the scale of its integers."""
    rows = np.linspace(0, train.n_haplotypes - 1, min(TYPICAL_ROWS, train.n_haplotypes)).astype(np.int64)
    typical = torch.from_numpy(train.alleles(rows)).float()
    (batch,) = packed_batches(train.bits[rows], train.n_sites)
    with torch.no_grad():
        latents, _ = network.encode(batch)
    return BitsBack(exact_encoder(network, typical), exact_decoder(network, latents))


@torch.no_grad()
def _range_coded(network: Autoregressive, panel: Panel) -> Iterator[bytes]:
    """The haplotypes' bytes, block after block, each read back and compared."""
    step = rows_at_once(panel.n_sites)
    for start in range(0, panel.n_haplotypes, step):
        rows = slice(start, start + step)
        (batch,) = packed_batches(panel.bits[rows], panel.n_sites)
        share = torch.sigmoid(network.log_odds(batch).double()).numpy()
        probabilities = np.clip(np.rint(share / LEAST_PROBABILITY), 1, 65535).astype(np.uint16)
        alleles = panel.alleles(rows)
        data = code_alleles(alleles, probabilities)
        if not np.array_equal(decode_alleles(data, probabilities), alleles):
            raise AssertionError("the range coder did not give back what was stored")
        yield data


def model_record(task: str, model: ModelFile, path: Path, panel: Panel) -> dict[str, Any]:
    """One record: the model's code length on its test people."""
    start = time.perf_counter()
    length = code_length(model, panel)
    about = model.card.training
    return {
        "task": task, "method": f"{model.card.kind}, {model.card.profile}",
        "bits_per_site": round(length.total, 5),
        "stored_bits_per_site": None if length.stored is None else round(length.stored, 5), "coder": length.coder,
        "terms": {name: round(value, 5) for name, value in length.bound.items()},
        "model_bytes": path.stat().st_size, "parameters": model.n_parameters, "sites": len(model.variants),
        **{key: about.get(key) for key in ("epochs_run", "kept_epoch", "threads")},
        "seconds": round(time.perf_counter() - start, 2), "seed": model.card.made_by.get("seed"),
        "versions": provenance.package_versions(),
    }  # fmt: skip


def baseline_records(task: str, model: ModelFile, panel: Panel, threads: int = 1) -> Iterator[dict[str, Any]]:
    """Independent sites, and the copying model with the training people as its reference, on the same test people."""
    panel = panel_at_sites(panel, model)
    train, validation, test = (
        panel.select_samples(model.split.samples(part, panel.samples)) for part in ("train", "validation", "test")
    )
    alleles = test.alleles()
    for name, baseline in (
        ("independent sites", IndependentSites().fit(train)),
        ("Li-Stephens, training people as reference", LiStephens(threads=threads).fit(train, validation)),
    ):
        start = time.perf_counter()
        nats = baseline.log_likelihood(alleles)
        yield {
            "task": task, "method": name, "bits_per_site": round(float(-nats.mean() / math.log(2) / panel.n_sites), 5),
            "sites": panel.n_sites, "seconds": round(time.perf_counter() - start, 2),
            "versions": provenance.package_versions(),
        }  # fmt: skip
