"""Haplotypes made by a model, each kind in its own way.

| kind | haplotypes are decoded from |
|---|---|
| vae | z ~ N(mean, variance) of the label's training haplotypes |
| cvae | z ~ N(0, I) and the label |
| yvae | z ~ N(0, I), by the label's own decoder |
| gmmn | noise ~ N(0, I), and the label where it was trained with labels |
| autoregressive | nothing: allele after allele is drawn given those before, and the label as a gmmn |

The alleles of the first three are the decoder's decisions, o > 1/2, as in the paper, or drawn with the decoder's
probabilities o. Their decoders are integer networks: the same seed gives the same bytes on every machine. The others'
haplotypes are made in float, on one thread and always as many at a time: the same bytes with the same torch on the
same kind of processor. Source: Geleta et al. 2026.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from haploom.errors import CorruptModelError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import ModelFile
from haploom.panel.bits import pack_rows
from haploom.synthesis.sources import ROWS, Draw, Source

EVERYBODY = "all"  # the one population of a model that was trained without labels
ALLELE_BITS = 16  # of the probabilities of an integer decoder


def model_source(model: ModelFile, sha256: str = "", sampled: bool = False) -> Source:
    """The haplotypes that a model makes.

    sha256: of its file, for the header of what is made. sampled: draw each allele with the decoder's probability
    instead of taking the likelier one, which makes rare alleles rarer than in life.

    Raises HaploomError for a model that makes no haplotypes, and for `sampled` where there is no such choice.
    """
    kind = model.card.kind
    if kind not in _DRAWS or model.ploidy != 1:
        of_people = " of unphased people" if model.ploidy == 2 else ""
        raise HaploomError(
            f"a model of kind {kind}{of_people} makes no haplotypes: train one of {', '.join(_DRAWS)} on phased "
            "genotypes"
        )
    if sampled and kind not in _DECODED:
        how = "draws every allele already" if kind == "autoregressive" else "has no probabilities to draw by"
        raise HaploomError(f"a model of kind {kind} {how}: leave --sampled out")
    draws = partial(_DECODED[kind], sampled) if kind in _DECODED else _DRAWS[kind]
    described = {"Model": sha256, "Kind": kind, **({"Alleles": "sampled"} if sampled else {})}
    return Source(
        model.variants, model.card.label_level, tuple(populations_of(model)), partial(draws, model), described
    )


def populations_of(model: ModelFile) -> list[str]:
    """What people can be made of: the model's labels, or EVERYBODY."""
    without_labels = model.card.kind in ("gmmn", "autoregressive") and not model.card.config["n_labels"]
    return [EVERYBODY] if without_labels else model.labels


def _around_latents(sampled: bool, model: ModelFile, place: int) -> Draw:
    mean, deviation = model.arrays["labels.mean"][place], np.sqrt(model.arrays["labels.variance"][place])
    return partial(_decoded, _integer_decoder(model, "exact"), mean, deviation, np.empty(0), sampled)


def _under_label(sampled: bool, model: ModelFile, place: int) -> Draw:
    network = _integer_decoder(model, "exact")
    n_labels = model.card.config["n_labels"]
    n_latents = network.n_inputs - n_labels
    return partial(_decoded, network, np.zeros(n_latents), np.ones(n_latents), np.eye(n_labels)[place], sampled)


def _by_own_decoder(sampled: bool, model: ModelFile, place: int) -> Draw:
    network = _integer_decoder(model, f"exact.{place}")
    return partial(_decoded, network, np.zeros(network.n_inputs), np.ones(network.n_inputs), np.empty(0), sampled)


def _integer_decoder(model: ModelFile, group: str) -> IntegerNetwork:
    try:
        return IntegerNetwork.from_tensors(model.group(group))
    except ValueError as error:
        raise CorruptModelError(f"the model's integer decoder cannot be used: {error}") from error


def _decoded(
    network: IntegerNetwork, mean: np.ndarray, deviation: np.ndarray, label: np.ndarray, sampled: bool,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """What an integer decoder makes of z ~ N(mean, deviation^2), followed by the one-hot label."""
    z = mean + deviation * rng.standard_normal((ROWS, len(mean)))
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
        with one_thread():
            return pack_rows(network.sample(ROWS, labels, generator).numpy())

    return draw


# Kinds whose decoder tells probabilities in integers, and how each draws: decided, or sampled.
_DECODED: dict[str, Callable[[bool, ModelFile, int], Draw]] = {
    "vae": _around_latents, "cvae": _under_label, "yvae": _by_own_decoder,
}  # fmt: skip
_DRAWS: dict[str, Callable[[ModelFile, int], Draw]] = {
    **{kind: partial(make, False) for kind, make in _DECODED.items()},
    "gmmn": _from_noise, "autoregressive": _allele_after_allele,
}  # fmt: skip
