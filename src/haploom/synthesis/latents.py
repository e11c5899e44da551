"""Haplotypes made by a model, each kind in its own way.

| kind | haplotypes are decoded from |
|---|---|
| vae | z ~ N(mean, variance) of the label's training haplotypes |
| cvae | z ~ N(0, I) and the label |
| yvae | z ~ N(0, I), by the label's own decoder |
| gmmn | noise ~ N(0, I), and the label where it was trained with labels |
| autoregressive | nothing: allele after allele is drawn given those before |

The alleles are the decoder's decisions, o > 1/2, as in the paper, but for the autoregressive model's, which are drawn.
Those of the first three are made by integer decoders: the same seed gives the same bytes on every machine. The others'
are made in float, on one thread and always as many at a time: the same bytes with the same torch on the same kind of
processor. Source: Geleta et al. 2026.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from haploom.errors import CorruptModelError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.panel.bits import BLOCK_BYTES, pack_rows, row_bytes

EVERYBODY = "all"  # the one population of a model that was trained without labels
_ROWS_AT_ONCE = 256  # of a float network

Draw = Callable[[np.random.Generator, int], np.ndarray]  # so many rows: alleles, uint8 (n, n_sites)


def populations_of(model: ModelFile) -> list[str]:
    """What people can be made of: the model's labels, or EVERYBODY."""
    without_labels = model.card.kind in ("gmmn", "autoregressive") and not model.card.config["n_labels"]
    return [EVERYBODY] if without_labels else model.labels


def synthesize_panel(model: ModelFile, populations: Sequence[str], people: int, seed: int = 1) -> Panel:
    """`people` synthetic people, two haplotypes each, of every population named.

    Samples are called SYN_<population>_<number>; the labels are under the model's label level. A population's
    people do not depend on which others are asked for. Deciding every allele for the likelier one makes rare
    alleles rarer than in life: such haplotypes are less diverse than real ones.

    Raises HaploomError for a population the model does not know, or a model that cannot make haplotypes.
    """
    known = populations_of(model)
    if unknown := sorted(set(populations) - set(known)):
        raise HaploomError(f"the model knows no population {unknown[0]!r}: it has {', '.join(known)}")
    if model.card.kind not in _DRAWS or model.ploidy != 1:
        of_people = " of unphased people" if model.ploidy == 2 else ""
        raise HaploomError(
            f"a model of kind {model.card.kind}{of_people} makes no haplotypes: train one of {', '.join(_DRAWS)} on "
            "phased genotypes"
        )
    n_sites = len(model.variants)
    names: list[str] = []
    rows: list[np.ndarray] = [np.empty((0, row_bytes(n_sites)), dtype=np.uint8)]
    step = max(1, BLOCK_BYTES // n_sites)
    for population in populations:
        place = known.index(population)
        draw = _DRAWS[model.card.kind](model, place)
        rng = np.random.default_rng([seed, place])
        names += [f"SYN_{population}_{person + 1:05d}" for person in range(people)]
        for start in range(0, 2 * people, step):
            rows.append(pack_rows(draw(rng, min(step, 2 * people - start))))
    labels = np.repeat(np.array(populations, dtype=object), people)
    return Panel(np.concatenate(rows), model.variants, tuple(names), {model.card.label_level: labels})


def header_lines(model: ModelFile, model_sha256: str, seed: int) -> list[str]:
    """VCF header lines that say the people are not real, and what made them."""
    return [f'##synthetic=<Source="haploom",Model="{model_sha256}",Kind="{model.card.kind}",Seed={seed}>']


def _around_latents(model: ModelFile, place: int) -> Draw:
    mean, deviation = model.arrays["labels.mean"][place], np.sqrt(model.arrays["labels.variance"][place])
    return partial(_decided, _integer_decoder(model, "exact"), mean, deviation, np.empty(0))


def _under_label(model: ModelFile, place: int) -> Draw:
    network = _integer_decoder(model, "exact")
    n_labels = model.card.config["n_labels"]
    n_latents = network.n_inputs - n_labels
    return partial(_decided, network, np.zeros(n_latents), np.ones(n_latents), np.eye(n_labels)[place])


def _by_own_decoder(model: ModelFile, place: int) -> Draw:
    network = _integer_decoder(model, f"exact.{place}")
    return partial(_decided, network, np.zeros(network.n_inputs), np.ones(network.n_inputs), np.empty(0))


def _integer_decoder(model: ModelFile, group: str) -> IntegerNetwork:
    try:
        return IntegerNetwork.from_tensors(model.group(group))
    except ValueError as error:
        raise CorruptModelError(f"the model's integer decoder cannot be used: {error}") from error


def _decided(
    network: IntegerNetwork, mean: np.ndarray, deviation: np.ndarray, label: np.ndarray,
    rng: np.random.Generator, n: int,
) -> np.ndarray:  # fmt: skip
    """Decisions of an integer decoder at z ~ N(mean, deviation^2), followed by the one-hot label."""
    z = mean + deviation * rng.standard_normal((n, len(mean)))
    return network.decide(network.quantise_input(np.hstack([z, np.tile(label, (n, 1))])))


def _from_noise(model: ModelFile, place: int) -> Draw:
    import torch

    from haploom.models.gmmn import GMMN
    from haploom.models.network import load_network
    from haploom.training.threads import one_thread

    network = load_network(model)
    assert isinstance(network, GMMN)
    labels = torch.full((_ROWS_AT_ONCE,), place) if network.config.n_labels else None

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        alleles = np.empty((n, len(model.variants)), dtype=np.uint8)
        with torch.no_grad(), one_thread():
            for start in range(0, n, _ROWS_AT_ONCE):
                noise = torch.from_numpy(rng.standard_normal((_ROWS_AT_ONCE, network.config.n_noise))).float()
                made = network.sample(noise, labels).numpy()
                alleles[start : start + _ROWS_AT_ONCE] = made[: n - start]
        return alleles

    return draw


def _allele_after_allele(model: ModelFile, place: int) -> Draw:
    import torch

    from haploom.models.autoregressive import Autoregressive
    from haploom.models.network import load_network
    from haploom.training.threads import one_thread

    network = load_network(model)
    assert isinstance(network, Autoregressive)
    labels = torch.full((_ROWS_AT_ONCE,), place) if network.config.n_labels else None

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        alleles = np.empty((n, len(model.variants)), dtype=np.uint8)
        with one_thread():
            for start in range(0, n, _ROWS_AT_ONCE):
                generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
                made = network.sample(_ROWS_AT_ONCE, labels, generator).numpy()
                alleles[start : start + _ROWS_AT_ONCE] = made[: n - start]
        return alleles

    return draw


_DRAWS: dict[str, Callable[[ModelFile, int], Draw]] = {
    "vae": _around_latents, "cvae": _under_label, "yvae": _by_own_decoder, "gmmn": _from_noise,
    "autoregressive": _allele_after_allele,
}  # fmt: skip
