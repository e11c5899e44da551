"""Training rows recombined from several, so that a model learns what is inherited together and not whole rows.

A child's haplotype is a mosaic of its parents': recombined training haplotypes are as likely as the originals, and
there are far more of them. No test or validation person takes part.
"""

import numpy as np

from haploom.panel import Variants


def recombine(
    columns: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, crossovers: float, rng: np.random.Generator
) -> np.ndarray:
    """Some rows, each with other rows' columns after random crossovers: (len(rows), n_columns).

    columns: (n_rows, n_columns), packed bits (crossovers then fall on every eighth site) or dosages. rows: int64.
    labels: int64 (n_rows,): what comes in is of the row's own label; None: of any row. crossovers: mean number a
    row, Poisson.
    """
    n_columns = columns.shape[1]
    place = np.repeat(np.arange(len(rows)), rng.poisson(crossovers, len(rows)))
    start = rng.integers(0, n_columns, len(place))
    if labels is None:
        donors = rng.integers(0, len(columns), len(place))
    else:
        of_label = labels[rows[place]]
        by_label = np.argsort(labels, kind="stable")
        first = np.searchsorted(labels[by_label], of_label)
        last = np.searchsorted(labels[by_label], of_label, side="right")
        donors = by_label[rng.integers(first, last)]
    order = np.lexsort((start, place))
    # Which crossover was the last one up to each column: numbered from 1 in order, 0 before the first.
    since = np.zeros((len(rows), n_columns), dtype=np.int32)
    since[place[order], start[order]] = np.arange(1, len(order) + 1)
    np.maximum.accumulate(since, axis=1, out=since)
    sources = np.concatenate([[0], donors[order]])[since]
    return columns[np.where(since > 0, sources, rows[:, None]), np.arange(n_columns)]


def span_mb(variants: Variants) -> float:
    """Megabases from the first site to the last, over all contigs."""
    spans = (np.ptp(variants.position_bp[variants.chrom == contig]) for contig in variants.contigs())
    return float(sum(spans)) / 1e6
