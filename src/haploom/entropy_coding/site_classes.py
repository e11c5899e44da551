"""How many haplotypes carry the minor allele of each site: coded roughly, in classes.

Classes hold minor counts 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23, ...: a power of two and one bit more. The site
coders need no more: a rare site says when its carriers end, and at a common site the exact count is worth less
than it costs. After the class of a site with carriers comes one bit: whether the minor allele is allele 1.
"""

import numpy as np

from haploom.entropy_coding.mixing import code_mixed
from haploom.kernels import int64, kernel

N_CLASSES = 64


def class_bounds() -> np.ndarray:
    """int64 (N_CLASSES + 1,): class c holds minor counts from bounds[c] to bounds[c + 1] - 1."""
    powers = 2 ** np.arange(1, N_CLASSES // 2 + 1, dtype=np.int64)
    bounds = np.stack([powers, powers + powers // 2], axis=1).ravel()
    return np.concatenate([[0, 1], bounds])[: N_CLASSES + 1]


BOUNDS = class_bounds()


def classes_of(minor_counts: np.ndarray) -> np.ndarray:
    """uint8 class of each minor count, int64 (n_sites,)."""
    return (np.searchsorted(BOUNDS, minor_counts, side="right") - 1).astype(np.uint8)


@kernel
def code_classes(coder: np.ndarray, data: np.ndarray, classes: np.ndarray, flipped: np.ndarray) -> None:
    """Code the class of every site and whether its minor allele is 0 (flipped). uint8 (n_sites,), in and out."""
    n_orders = 4
    table = 2 * N_CLASSES
    cells = new_class_cells(table * (1 + N_CLASSES + 16 * 16 + 8 * 8 * 8))
    weights = np.full((N_CLASSES, n_orders), 65536 // 3, dtype=np.int64)
    chosen = np.zeros(n_orders, dtype=np.int64)
    logits = np.zeros(n_orders, dtype=np.int64)
    flip_cells = new_class_cells(N_CLASSES)
    flip_weights = np.full(1, 65536, dtype=np.int64)
    one, two, three = int64(0), int64(0), int64(0)
    for site in range(classes.size):
        wanted = int64(classes[site])
        node = int64(1)
        contexts = (
            int64(0),
            1 + one,
            1 + N_CLASSES + min(one, 15) * 16 + min(two, 15),
            257 + N_CLASSES + (min(one, 7) * 8 + min(two, 7)) * 8 + min(three, 7),
        )
        for depth in range(6):
            for i in range(n_orders):
                chosen[i] = contexts[i] * table + node
            bit = wanted >> (5 - depth) & 1
            bit = code_mixed(coder, data, cells, chosen, weights[node], logits, 4, 250, bit)
            node = node << 1 | bit
        wanted = node - N_CLASSES
        classes[site] = wanted
        three, two, one = two, one, wanted
        chosen[0] = wanted
        flip = int64(flipped[site])
        flipped[site] = code_mixed(coder, data, flip_cells, chosen[:1], flip_weights, logits, 0, 1000, flip)


@kernel
def new_class_cells(n_cells: int) -> np.ndarray:
    """Cells for a binary tree of symbols: an even chance, as if two bits had been seen."""
    return np.full(n_cells, (int64(32768) << 32) | 2, dtype=np.int64)
