"""Which code of a table stores a window of a haplotype in the fewest bits."""

import numpy as np

from haploom.exact import CodeTable
from haploom.exact.codes import TABLE_BITS
from haploom.panel.bits import row_blocks, unpack_rows


def best_codes(table: CodeTable, rows: np.ndarray) -> np.ndarray:
    """For packed haplotypes: int64 (n_rows, n_windows). The same codes on every machine: sums of whole numbers.

    An allele x under log-odds y costs log(1 + exp(y)) - x y nats. Each code of a window has the sum of the first terms,
    whatever the haplotype, and the second is a product of matrices.
    """
    n_windows, _, width = table.steps.shape
    codes = np.empty((len(rows), n_windows), dtype=np.int64)
    for window in range(n_windows):
        sites = slice(window * width, min((window + 1) * width, table.n_outputs))
        log_odds = 2 * table.steps[window, :, : sites.stop - sites.start].astype(np.float64) + 1
        of_zeros = np.rint(np.logaddexp(0, log_odds / 2**TABLE_BITS) * 2**TABLE_BITS).sum(axis=1)
        for some in row_blocks(len(rows), table.n_outputs):
            alleles = unpack_rows(rows[some], table.n_outputs)[:, sites].astype(np.float64)
            codes[some, window] = (of_zeros - alleles @ log_odds.T).argmin(axis=1)
    return codes
