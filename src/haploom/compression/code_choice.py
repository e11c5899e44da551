"""Which code of a table stores a window of a haplotype in the fewest bits."""

import numpy as np

from haploom.exact import CodeTable
from haploom.exact.codes import TABLE_BITS
from haploom.panel.bits import row_blocks, unpack_rows

_ROUNDS = 6  # of prices and choices; they hardly change after four
_UNUSED = 0.05  # of a row: what a code that nobody chose counts as


def best_codes(table: CodeTable, rows: np.ndarray, believed: float = 1.0) -> np.ndarray:
    """For packed haplotypes: int64 (n_rows, n_windows). The same codes on every machine: sums of whole numbers.

    believed: the share of a code's bits that choosing it saves, from 0 to 1. At 1 alleles are coded under the table
    alone, and codes are free: the table's best. Below it codes have a price, what their frequency says, found by
    choosing and counting in turn (entropy-constrained quantisation: Chou, Lookabaugh & Gray 1989): where other rows
    foretell most of an allele, few codes are worth theirs.
    """
    codes = np.empty((len(rows), table.n_windows), dtype=np.int64)
    for window in range(table.n_windows):
        costs = _costs(table, rows, window)
        codes[:, window] = costs.argmin(axis=1)
        for _ in range(_ROUNDS if believed < 1 else 0):
            frequency = np.maximum(np.bincount(codes[:, window], minlength=table.n_codes), _UNUSED) / max(len(rows), 1)
            price = np.rint(-np.log(frequency) / believed * 2**TABLE_BITS)
            codes[:, window] = (costs + price).argmin(axis=1)
    return codes


def _costs(table: CodeTable, rows: np.ndarray, window: int) -> np.ndarray:
    """What each code of a window costs each row under the table, in 1/2^TABLE_BITS nat: float64 (n_rows, n_codes).

    An allele x under log-odds y costs log(1 + exp(y)) - x y nats. Each code of a window has the sum of the first terms,
    whatever the haplotype, and the second is a product of matrices.
    """
    sites = slice(window * table.width, min((window + 1) * table.width, table.n_outputs))
    log_odds = 2 * table.steps[window, :, : sites.stop - sites.start].astype(np.float64) + 1
    of_zeros = np.rint(np.logaddexp(0, log_odds / 2**TABLE_BITS) * 2**TABLE_BITS).sum(axis=1)
    costs = np.empty((len(rows), table.n_codes))
    for some in row_blocks(len(rows), table.n_outputs):
        alleles = unpack_rows(rows[some], table.n_outputs)[:, sites].astype(np.float64)
        costs[some] = of_zeros - alleles @ log_odds.T
    return costs
