"""Haplotypes made by a model, each kind in its own way.

| kind | haplotypes are decoded from |
|---|---|
| vae | z ~ N(mean, variance) of the label's training haplotypes' latents |
| cvae | z ~ N(mean, covariance) of them, or z ~ N(0, I), and the label |
| yvae | z ~ N(mean, covariance) of them, or z ~ N(0, I), by the label's own decoder |
| gmmn | noise ~ N(0, I), and the label where it was trained with labels |
| autoregressive | nothing: allele after allele is drawn given those before, and the label as a gmmn |

The alleles of the first three are the decoder's decisions, o > 1/2, as in the paper, or drawn with the decoder's
probabilities o. Their decoders are integer networks: the same seed gives the same bytes on every machine. The others'
haplotypes are made in float, on one thread and always as many at a time: the same bytes with the same torch on the
same kind of processor. Source: Geleta et al. 2026.
"""

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Literal, get_args

import numpy as np

from haploom.errors import CorruptModelError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import ModelFile
from haploom.panel.bits import pack_rows
from haploom.synthesis.sources import ROWS, Draw, Source

EVERYBODY = "all"  # the one population of a model that was trained without labels
ALLELE_BITS = 16  # of the probabilities of an integer decoder
Latents = Literal["prior", "training"]


def model_source(
    model: ModelFile, sha256: str = "", sampled: bool = False, latents: Latents | None = None
) -> Source:  # fmt: skip
    """The haplotypes that a model makes.

    sha256: of its file, for the header of what is made. sampled: draw each allele with the decoder's probability
    instead of taking the likelier one, which makes rare alleles rarer than in life. latents: of a cvae or yvae, from
    around those of the label's training haplotypes, as a vae's always are (None: so), or from the prior N(0, I), as in
    the paper. A label's latents need not be spread as the prior is, and elsewhere the decoder was taught little about
    the label: people drawn from the prior are less often taken for people of theirs.

    Raises HaploomError for a model that makes no haplotypes, and for `sampled` and `latents` where there is no such
    choice.
    """
    kind = model.card.kind
    if kind not in (*_DECODED, *_DRAWS) or model.ploidy != 1:
        of_people = " of unphased people" if model.ploidy == 2 else ""
        raise HaploomError(
            f"a model of kind {kind}{of_people} makes no haplotypes: train one of "
            f"{', '.join((*_DECODED, *_DRAWS))} on phased genotypes"
        )
    if sampled and kind not in _DECODED:
        how = "draws every allele already" if kind == "autoregressive" else "has no probabilities to draw by"
        raise HaploomError(f"a model of kind {kind} {how}: leave --sampled out")
    if latents not in (None, *get_args(Latents)):
        raise HaploomError(f"there are no latents {latents!r}: choose one of {', '.join(get_args(Latents))}")
    if latents is not None and kind not in _CONDITIONAL:
        how = "draws its latents around training people" if kind == "vae" else "has no latents to choose"
        raise HaploomError(f"a model of kind {kind} {how}: leave --latents out")
    draws = partial(_from_latents, sampled, latents != "prior") if kind in _DECODED else _DRAWS[kind]
    described = {
        "Model": sha256, "Kind": kind, **({"Alleles": "sampled"} if sampled else {}),
        **({"Latents": latents or "training"} if kind in _CONDITIONAL else {}),
    }  # fmt: skip
    return Source(
        model.variants, model.card.label_level, tuple(populations_of(model)), partial(draws, model), described
    )


def populations_of(model: ModelFile) -> list[str]:
    """What people can be made of: the model's labels, or EVERYBODY."""
    without_labels = model.card.kind in ("gmmn", "autoregressive") and not model.card.config["n_labels"]
    return [EVERYBODY] if without_labels else model.labels


def _from_latents(sampled: bool, around_training: bool, model: ModelFile, place: int) -> Draw:
    """Latents from around those of the label's training haplotypes or from N(0, I), decoded as the label's."""
    kind = model.card.kind
    network = _integer_decoder(model, f"exact.{place}" if kind == "yvae" else "exact")
    label = np.eye(model.card.config["n_labels"])[place] if kind == "cvae" else np.empty(0)
    n_latents = network.n_inputs - len(label)
    mean, spread = np.zeros(n_latents), np.eye(n_latents)
    if around_training:
        mean = model.arrays["labels.mean"][place]
        if "labels.spread" in model.arrays:
            spread = model.arrays["labels.spread"][place]
        else:
            spread = np.diag(np.sqrt(model.arrays["labels.variance"][place]))
    if not mean.shape + mean.shape == spread.shape == (n_latents, n_latents):
        raise CorruptModelError(
            f"the model's latents of a label, means {mean.shape} and spread {spread.shape}, do not fit its decoder of "
            f"{n_latents} latents: fetch or train it again"
        )
    return partial(_decoded, network, mean, spread, label, sampled)


def _integer_decoder(model: ModelFile, group: str) -> IntegerNetwork:
    try:
        return IntegerNetwork.from_tensors(model.group(group))
    except ValueError as error:
        raise CorruptModelError(f"the model's integer decoder cannot be used: {error}") from error


def _decoded(
    network: IntegerNetwork, mean: np.ndarray, spread: np.ndarray, label: np.ndarray, sampled: bool,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """What an integer decoder makes of z = mean + spread e, e ~ N(0, I), followed by the one-hot label."""
    z = np.tile(mean.astype(np.float64), (ROWS, 1))
    # One direction after another: a matrix product is rounded as each machine's library likes.
    for direction, weights in zip(spread.T.astype(np.float64), rng.standard_normal((ROWS, len(mean))).T):
        z += weights[:, None] * direction
    inputs = network.quantise_input(np.hstack([z, np.tile(label, (ROWS, 1))]))
    if not sampled:
        return pack_rows(network.decide(inputs))
    from haploom.entropy_coding.allele_stream import allele_probabilities  # loads numba

    step = network.rows_at_once()
    blocks = []
    for start in range(0, ROWS, step):
        ones = allele_probabilities(network.logits(inputs[start : start + step]), network.output_bits)
        blocks.append(pack_rows(rng.integers(1 << ALLELE_BITS, size=ones.shape, dtype=np.uint16) < ones))
    return np.concatenate(blocks)


def _from_noise(model: ModelFile, place: int) -> Draw:
    import torch

    from haploom.models.gmmn import GMMN
    from haploom.models.network import load_network
    from haploom.training.threads import one_thread

    network = load_network(model)
    assert isinstance(network, GMMN)
    labels = torch.full((ROWS,), place) if network.config.n_labels else None

    def draw(rng: np.random.Generator) -> np.ndarray:
        noise = torch.from_numpy(rng.standard_normal((ROWS, network.config.n_noise))).float()
        with torch.no_grad(), one_thread():
            return pack_rows(network.sample(noise, labels).numpy())

    return draw


# Two threads that make many small products hinder each other: together they are slower than one alone.
_DRAWING = Lock()


def _allele_after_allele(model: ModelFile, place: int) -> Draw:
    import torch

    from haploom.models.autoregressive import Autoregressive
    from haploom.models.network import load_network
    from haploom.training.threads import one_thread

    network = load_network(model)
    assert isinstance(network, Autoregressive)
    labels = torch.full((ROWS,), place) if network.config.n_labels else None

    def draw(rng: np.random.Generator) -> np.ndarray:
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        with _DRAWING, one_thread():
            return pack_rows(network.sample(ROWS, labels, generator).numpy())

    return draw


_CONDITIONAL = ("cvae", "yvae")
_DECODED = ("vae", "cvae", "yvae")  # kinds whose integer decoder tells probabilities
_DRAWS: dict[str, Callable[[ModelFile, int], Draw]] = {"gmmn": _from_noise, "autoregressive": _allele_after_allele}
