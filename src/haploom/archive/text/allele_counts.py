"""Allele counts of a block from its calls: of everybody, and of groups of people."""

from collections.abc import Mapping

import numpy as np

from haploom.archive.text.calls import CALLED, PLAIN, Calls
from haploom.archive.text.counts import GenotypeCounts
from haploom.kernels import kernel

MOST_ALTERNATES = 63  # bounds what a block with an absurd allele takes; alleles above are called, but not counted

_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)


def count_genotypes(calls: Calls, groups: Mapping[str, np.ndarray]) -> GenotypeCounts:
    """Counts of every record; zeros where it has no GT. groups: bool (n_samples,) of each label.

    An allele is called where the call has a number for it, a sample where at least one of its alleles is.
    """
    members = np.ones((1 + len(groups), calls.n_samples), dtype=bool)
    for row, mask in enumerate(groups.values()):
        members[1 + row] = mask
    highest = max(int(calls.highest.max(initial=1)), int(calls.further.max(initial=1)))
    n_records, n_groups = len(calls.kinds), len(members)
    alternate = np.zeros((n_groups, n_records, min(highest, MOST_ALTERNATES)), dtype=np.int64)
    called = np.zeros((n_groups, n_records), dtype=np.int64)
    samples_with_calls = np.zeros(n_records, dtype=np.int64)

    plain = calls.kinds == PLAIN
    called[:, plain] = 2 * members.sum(axis=1)[:, None]
    samples_with_calls[plain] = calls.n_samples
    masks = np.packbits(np.repeat(members, 2, axis=1), axis=1)
    _count_plain(calls.bits, np.flatnonzero(plain), masks, alternate)
    if not plain.all():
        _count_calls(
            calls.bits, np.flatnonzero(calls.kinds == CALLED), calls.shapes, calls.ploidies, calls.highest,
            calls.further, calls.further_starts, members, alternate, called, samples_with_calls,
        )  # fmt: skip
    by_group = tuple((name, called[1 + row], alternate[1 + row]) for row, name in enumerate(groups))
    return GenotypeCounts(alternate[0], called[0], samples_with_calls, by_group)


@kernel
def _count_plain(bits: np.ndarray, records: np.ndarray, masks: np.ndarray, alternate: np.ndarray) -> None:
    """Set bits of these records among the haplotypes of each group; masks: uint8 (n_groups, row bytes)."""
    for record in records:
        for byte in range(bits.shape[1]):
            if bits[record, byte]:
                for group in range(masks.shape[0]):
                    alternate[group, record, 0] += _ONES[bits[record, byte] & masks[group, byte]]


@kernel
def _count_calls(
    bits: np.ndarray,
    records: np.ndarray,
    shapes: np.ndarray,
    ploidies: np.ndarray,
    highest: np.ndarray,
    further: np.ndarray,
    further_starts: np.ndarray,
    members: np.ndarray,
    alternate: np.ndarray,
    called: np.ndarray,
    samples_with_calls: np.ndarray,
) -> None:
    """The same of the records with calls of any shape; arrays as in `Calls` and `GenotypeCounts`."""
    n_groups, n_samples = members.shape
    for row in range(records.size):
        record = records[row]
        place = further_starts[row]
        for sample in range(n_samples):
            ploidy = ploidies[shapes[row, sample]]
            if ploidy:
                samples_with_calls[record] += 1
            for i in range(ploidy):
                allele = np.int64(1)
                if i < 2:
                    haplotype = 2 * sample + i
                    allele = np.int64((bits[record, haplotype >> 3] >> np.uint8(7 - (haplotype & 7))) & 1)
                if i >= 2 or (allele and highest[row] > 1):
                    allele = further[place]
                    place += 1
                for group in range(n_groups):
                    if members[group, sample]:
                        called[group, record] += 1
                        if 0 < allele <= alternate.shape[2]:
                            alternate[group, record, allele - 1] += 1
