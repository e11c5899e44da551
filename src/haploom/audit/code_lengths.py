"""How many bits haplotypes cost under the archive's statistical codec, alone and beside the people learned from."""

import numpy as np

from haploom.audit.sampling import Sample
from haploom.entropy_coding.genotype_block import encode_block
from haploom.panel.bits import select_columns, unpack_rows

MOST_HAPLOTYPES = 500
MOST_ALLELES = 4_000_000  # of a sample: about two seconds
LEVEL = "default"


def bits_per_allele(samples: list[Sample]) -> list[tuple[float, float]]:
    """(alone, beside the last sample) of each sample but the last: bits an allele.

    samples: as many haplotypes of each population from each. The same MOST_HAPLOTYPES places of each are coded, at the
    first sites, MOST_ALLELES in all. Beside the last sample: what it takes to code both, less what that one takes.
    """
    n = len(samples[0].rows)
    places = np.unique(np.linspace(0, n - 1, min(n, MOST_HAPLOTYPES)).astype(np.int64))
    sites = slice(0, min(max(1, MOST_ALLELES // len(places)), samples[0].panel.n_sites))
    *ours, beside = [_alleles(each, places, sites) for each in samples]
    n_bits_beside = _n_bits(beside)
    return [
        (_n_bits(each) / each.size, (_n_bits(np.concatenate([beside, each])) - n_bits_beside) / each.size)
        for each in ours
    ]


def _alleles(sample: Sample, places: np.ndarray, sites: slice) -> np.ndarray:
    """uint8 (n_places, n_sites); of long haplotypes, only these sites are unpacked."""
    packed = select_columns(sample.panel.bits[sample.rows[places]], sample.panel.n_sites, sites)
    return unpack_rows(packed, sites.stop)


def _n_bits(alleles: np.ndarray) -> int:
    return 8 * len(encode_block(np.ascontiguousarray(alleles.T), LEVEL))
