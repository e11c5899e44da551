"""How often each alternate allele was called in a block: what INFO such as AC and AF follows from."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class GenotypeCounts:
    """Counts of a block's genotypes, a row per record.

    alternate: int64 (n_records, n_alternates_max), copies of each ALT allele among the called alleles.
    called: int64 (n_records,), alleles called. samples_with_calls: int64 (n_records,).
    groups: (name, called, alternate) of each population label, the arrays as above.
    """

    alternate: np.ndarray
    called: np.ndarray
    samples_with_calls: np.ndarray
    groups: tuple[tuple[str, np.ndarray, np.ndarray], ...] = ()
