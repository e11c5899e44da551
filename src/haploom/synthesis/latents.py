"""Haplotypes decoded from around a label's latents: z ~ N(mean, variance) of the label's training haplotypes.

The alleles are the decoder's decisions, o > 1/2, as in the paper, made by the integer decoder: the same seed
gives the same bytes on every machine. Source: Geleta et al. 2026.
"""

from collections.abc import Sequence

import numpy as np

from haploom.errors import HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.panel.bits import BLOCK_BYTES, pack_rows, row_bytes


def synthesize_panel(model: ModelFile, populations: Sequence[str], people: int, seed: int = 1) -> Panel:
    """`people` synthetic people, two haplotypes each, of every population named.

    Samples are called SYN_<population>_<number>; the labels are under the model's label level. A population's
    people do not depend on which others are asked for. Deciding every allele for the likelier one makes rare
    alleles rarer than in life: these haplotypes are less diverse than real ones.

    Raises HaploomError for a population the model does not know.
    """
    if unknown := sorted(set(populations) - set(model.labels)):
        raise HaploomError(f"the model knows no population {unknown[0]!r}: it has {', '.join(model.labels)}")
    network = IntegerNetwork.from_tensors(model.group("exact"))
    names: list[str] = []
    rows: list[np.ndarray] = [np.empty((0, row_bytes(network.n_outputs)), dtype=np.uint8)]
    step = max(1, BLOCK_BYTES // network.n_outputs)
    for population in populations:
        place = model.labels.index(population)
        rng = np.random.default_rng([seed, place])
        mean, deviation = model.arrays["labels.mean"][place], np.sqrt(model.arrays["labels.variance"][place])
        names += [f"SYN_{population}_{person + 1:05d}" for person in range(people)]
        for start in range(0, 2 * people, step):
            draws = rng.standard_normal((min(step, 2 * people - start), len(mean)))
            z = network.quantise_input(mean + deviation * draws)
            rows.append(pack_rows(network.decide(z)))
    labels = np.repeat(np.array(populations, dtype=object), people)
    return Panel(np.concatenate(rows), model.variants, tuple(names), {model.card.label_level: labels})


def header_lines(model: ModelFile, model_sha256: str, seed: int) -> list[str]:
    """VCF header lines that say the people are not real, and what made them."""
    return [f'##synthetic=<Source="haploom",Model="{model_sha256}",Kind="{model.card.kind}",Seed={seed}>']
