"""Which haplotype: one of n drawn by walking down a binary tree of the haplotype indices.

Each branch is a bit whose probability mixes what the nodes have seen: in draws of the same kind, and in all
draws. People stand in cohort order in most files, so the tree learns which populations, people and haplotypes carry
more rare alleles than others. Branches that lead to no haplotype that can be meant cost nothing.
"""

import numpy as np

from haploom.entropy_coding.mixing import code_mixed
from haploom.kernels import int64, kernel

_SEEN = 3  # bits a new node counts as having seen: its start is a fair guess
_LIMIT = 1000


@kernel
def tree_depth(n: int) -> int:
    """Branches from the root to a leaf of the smallest complete tree with n leaves."""
    depth = 0
    while (1 << depth) < n:
        depth += 1
    return depth


@kernel
def new_trees(n_trees: int, n: int) -> np.ndarray:
    """Nodes of trees over n haplotypes that make every haplotype as likely as any other: int64 (n_trees, n_nodes)."""
    depth = tree_depth(n)
    nodes = np.empty((n_trees, 1 << depth), dtype=np.int64)
    for node in range(1, 1 << depth):
        level = tree_depth(node + 1) - 1
        width = int64(1) << (depth - level)
        left = (node - (1 << level)) * width
        n_below = min(max(n - left, 1), width)
        n_right = min(max(n - left - width // 2, 0), width // 2)
        nodes[:, node] = (((n_right << 32) // n_below) >> 16 << 32) | _SEEN
    return nodes


@kernel
def code_draw(
    coder: np.ndarray,
    data: np.ndarray,
    trees: np.ndarray,
    kind: int,
    weights: np.ndarray,
    lowest: int,
    n: int,
    wanted: int,
) -> int:
    """Code a haplotype index from `lowest` to n - 1; returns it (and never more than n - 1).

    trees: int64 (n_kinds + 1, n_nodes), the last one learns from every kind. weights: int64 (depth, 2).
    """
    n_nodes = trees.shape[1]
    depth = tree_depth(n)
    cells = trees.reshape(-1)
    chosen = np.empty(2, dtype=np.int64)
    logits = np.empty(2, dtype=np.int64)
    node = int64(1)
    left = int64(0)
    for level in range(depth):
        half = int64(1) << (depth - level - 1)
        if left + half >= n:
            bit = int64(0)
        elif left + half <= lowest:
            bit = int64(1)
        else:
            chosen[0] = kind * n_nodes + node
            chosen[1] = (trees.shape[0] - 1) * n_nodes + node
            bit = int64(wanted >= left + half)
            bit = code_mixed(coder, data, cells, chosen, weights[level], logits, 2, _LIMIT, bit)
        left += bit * half
        node = node << 1 | bit
    return left
