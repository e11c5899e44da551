"""Trains the network of genotype blocks (`entropy_coding.learned_expert`) on simulated panels, and writes it.

    python tools/train_expert.py src/haploom/entropy_coding/learned_expert.bin [--epochs 5] [--scale 1.0]

Run by hand, when a format is released: other weights are other bytes, and need another codec id. No real genotype is
looked at. Panels are simulated under the coalescent, dense ones with all their sites and thinned ones along longer
stretches, and then get what real ones have and simulated ones lack: people whose phase switches, and wrong
alleles, more at some sites than at others. What the network would be asked is taken from the coder itself. Takes some
10 minutes and 4 GB; --scale makes shorter stretches, to try.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from haploom.entropy_coding.genotype_block import MORE_ORDERS, ORDERS, first_common_class
from haploom.entropy_coding.learned_expert import (
    ACTIVATION_MAX,
    FEATURE_MAX,
    N_FEATURES,
    N_MIXED,
    Network,
)
from haploom.entropy_coding.learned_sites import code_common_sites
from haploom.entropy_coding.range_coder import new_encoder
from haploom.entropy_coding.site_classes import classes_of
from haploom.popgen.coalescent import simulate_panel

N_DONORS = 16
HIDDEN = (96, 32)
UNIT = 256  # of logits and features
ACTIVATION_BITS = 10
MOST_ROWS = 1_300_000  # of one panel
BATCH, RATE = 1024, 4e-3


class Recipe(NamedTuple):
    """people: of each of seven populations. share: of the sites that is kept. switch_bp: mean distance between switches
    of a person's phase. errors: wrong alleles, as a share of what an allele drawn at random would get wrong."""

    people: int
    length_bp: int
    share: float
    switch_bp: float
    errors: float


RECIPES = (
    Recipe(358, 75_000, 1.0, 2e6, 5e-4),
    Recipe(358, 75_000, 1.0, 1e6, 1.5e-3),
    Recipe(150, 90_000, 1.0, 1e6, 1e-3),
    Recipe(156, 2_500_000, 0.04, 1e6, 3e-3),
    Recipe(156, 2_500_000, 0.04, 4e5, 8e-3),
    Recipe(156, 2_500_000, 0.04, 2e5, 1.5e-2),
)


def simulated(recipe: Recipe, seed: int, scale: float) -> np.ndarray:
    """Alleles of one panel: uint8 (n_sites, n_haplotypes)."""
    rng = np.random.default_rng(seed)
    length_bp = round(recipe.length_bp * scale)
    panel = simulate_panel(people=recipe.people, length_bp=length_bp, min_count=1, seed=seed)
    kept = np.sort(rng.choice(panel.n_sites, round(panel.n_sites * recipe.share), replace=False))
    alleles = np.ascontiguousarray(panel.select_sites(kept).alleles().T)
    n_sites, n = alleles.shape
    for mother in range(0, n, 2):
        for site in rng.integers(0, n_sites, rng.poisson(length_bp / recipe.switch_bp)):
            alleles[site:, [mother, mother + 1]] = alleles[site:, [mother + 1, mother]]
    p = alleles.mean(axis=1, keepdims=True)
    of_site = rng.gamma(0.5, 2 * recipe.errors, (n_sites, 1))
    return alleles ^ (rng.random(alleles.shape) < of_site * 2 * np.minimum(p, 1 - p)).astype(np.uint8)


def asked_rows(alleles: np.ndarray) -> np.ndarray:
    """What the network is asked while the panel is coded, and the answers: int16 (n_rows, N_FEATURES + 1)."""
    n = alleles.shape[1]
    counts = np.count_nonzero(alleles, axis=1)
    flipped = (2 * counts > n).astype(np.uint8)
    classes = classes_of(np.where(flipped, n - counts, counts))
    common = np.flatnonzero(classes >= first_common_class(n))
    rules = np.array(ORDERS + MORE_ORDERS, dtype=np.int64)
    rules[:, 0] = classes_of(rules[:, 0] * n // 100)
    layers = (np.zeros(shape, dtype=np.int32) for shape in ((N_FEATURES, 1), 1, (1, 1), 1, 1, 1))
    silent = Network(*layers, np.zeros(3, dtype=np.int64))
    asked = np.empty((len(common) * n, N_FEATURES + 1), dtype=np.int16)
    n_asked = code_common_sites(
        new_encoder(), np.empty(0, np.uint8), alleles[common] ^ flipped[common, None], common, classes[common], rules,
        N_DONORS, silent, asked,
    )  # fmt: skip
    return asked[:n_asked]


def trained(rows: np.ndarray, epochs: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights (n_in, n_out) and biases of the layers, float64, of features as they come (in 1/256)."""
    torch.manual_seed(0)
    x, y = torch.from_numpy(rows[:, :N_FEATURES]), torch.from_numpy(rows[:, N_FEATURES].astype(np.float32))
    some = x[::50].float() / UNIT
    mean, sd = some.mean(0), some.std(0) + 0.1
    sizes = (N_FEATURES, *HIDDEN, 1)
    layers = torch.nn.ModuleList([torch.nn.Linear(*pair) for pair in pairwise(sizes)])
    torch.nn.init.zeros_(layers[-1].weight)  # at first it says what the mix says
    torch.nn.init.zeros_(layers[-1].bias)
    n_steps = len(rows) // BATCH
    optimizer = torch.optim.AdamW(layers.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * n_steps)
    for epoch in range(epochs):
        total = 0.0
        for some_rows in torch.randperm(len(rows))[: n_steps * BATCH].view(n_steps, BATCH):
            values = x[some_rows].float() / UNIT
            h = (values - mean) / sd
            for layer in layers[:-1]:
                h = torch.relu(layer(h))
            loss = functional.binary_cross_entropy_with_logits(values[:, N_MIXED] + layers[-1](h)[:, 0], y[some_rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        mixed = x[:, N_MIXED].float() / UNIT
        before = functional.binary_cross_entropy_with_logits(mixed, y).item()
        print(f"epoch {epoch}: {total / n_steps:.5f} nats an answer, the mix alone {before:.5f}", flush=True)
    weights = [layer.weight.detach().double().numpy().T for layer in layers]
    biases = [layer.bias.detach().double().numpy() for layer in layers]
    sd, mean = sd.double().numpy(), mean.double().numpy()
    biases[0] = biases[0] - (mean / sd) @ weights[0]
    weights[0] = weights[0] / sd[:, None] / UNIT
    return weights, biases


def as_bytes(weights: list[np.ndarray], biases: list[np.ndarray]) -> bytes:
    """The layers in integers, as `learned_expert.network_from_bytes` reads them.

    Weights get as many bits as int16 holds and as keep every sum in int32.
    """
    bits_in, largest_in = (0, ACTIVATION_BITS, ACTIVATION_BITS), (FEATURE_MAX, ACTIVATION_MAX, ACTIVATION_MAX)
    bits_out = (ACTIVATION_BITS, ACTIVATION_BITS, UNIT.bit_length() - 1)
    shifts, whole_weights, whole_biases = [], [], []
    for w, b, before, largest, after in zip(weights, biases, bits_in, largest_in, bits_out):
        for bits in range(30, after - before - 1, -1):
            whole_w, whole_b = np.rint(w * 2.0**bits), np.rint(b * 2.0 ** (before + bits))
            sums = np.abs(whole_w).sum(axis=0) * largest + np.abs(whole_b)
            if np.abs(whole_w).max() < 2**15 and sums.max() < 2**31:
                break
        else:
            raise SystemExit("the weights are too large for int16 and int32 sums")
        shifts.append(before + bits - after)
        whole_weights.append(whole_w.astype("<i2").tobytes())
        whole_biases.append(whole_b.astype("<i4").tobytes())
    return bytes([*HIDDEN, *shifts]) + b"".join([*whole_weights, *whole_biases])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the lengths")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    parts = []
    for seed, recipe in enumerate(RECIPES, start=1):
        rows = asked_rows(simulated(recipe, seed, args.scale))
        print(f"{recipe}: asked {len(rows):,} times", flush=True)
        parts.append(rows[np.sort(rng.permutation(len(rows))[:MOST_ROWS])])
    args.output.write_bytes(as_bytes(*trained(np.concatenate(parts), args.epochs)))


if __name__ == "__main__":
    main()
