"""Haplotypes row after row, each allele under a mix of what a model says of it and what the rows before say.

Three opinions of an allele are mixed, in the fixed point of `mixing`: the model's log-odds; a cell that learns the
site's alleles among the rows of the same group (those with the same code in this window); and the allele of an earlier
row, the donor, that agreed with this one at the sites just before, as sure as donors of such a match turned out to be.
Where the model says all there is, the mix learns to follow it; where rows are near-copies of each other, the donor.

The log-odds must be the same integers in both directions. Source of the match model: Mahoney, lpaq (2007).
"""

import numpy as np

from haploom.entropy_coding.mixing import (
    MAX_LOGIT,
    cell_logit,
    learn_weights,
    mixed_logit,
    new_cells,
    squash,
    updated_cell,
)
from haploom.entropy_coding.range_coder import code_bit, finish, new_decoder, new_encoder
from haploom.kernels import int64, kernel

LOGIT_BITS = 8  # of the model's log-odds
_HISTORY = 32  # alleles before a site that a donor is looked up by
_STRIDE = 4  # at every so many sites: what is remembered then fits the cache
_LEAST_MATCH = 20  # of them that have to agree
_SWITCH_AT = 16  # sites after a mismatch, where a better donor is looked for
_LENGTHS, _MISSES = 20, 4
_RATE, _LIMIT, _DONOR_LIMIT = 3, 255, 1023
_SEEN = 6  # rows of its group that a cell counts the model's word for
_MIX = -7046029254386353131


@kernel
def _allele(kept: np.ndarray, row: int, site: int) -> int:
    return int64(kept[row, site >> 3] >> (7 - (site & 7)) & 1)


@kernel
def _agreement(kept: np.ndarray, donor: int, alleles: np.ndarray, site: int) -> int:
    """How many of the _HISTORY alleles before `site` agree, counted backwards to the first that does not."""
    n = int64(0)
    while n < _HISTORY and n < site and _allele(kept, donor, site - 1 - n) == int64(alleles[site - 1 - n]):
        n += 1
    return n


@kernel
def _bucket(length: int, misses: int) -> int:
    """Which cell says how sure a donor is: steps of the length since it was last wrong, and how often it was."""
    step = int64(0)
    if length < 12:
        step = length >> 1
    else:
        step = int64(6)
        length >>= 4
        while length > 0 and step < _LENGTHS - 1:
            step += 1
            length >>= 1
    level = int64(0)
    if misses > 64:
        level = int64(1)
    if misses > 512:
        level = int64(2)
    if misses > 1200:
        level = int64(3)
    return step * _MISSES + level


@kernel
def _code_rows(
    coder: np.ndarray,
    data: np.ndarray,
    first_row: int,
    log_odds: np.ndarray,
    groups: np.ndarray,
    width: int,
    alleles: np.ndarray,
    kept: np.ndarray,
    cells: np.ndarray,
    donor_cells: np.ndarray,
    weights: np.ndarray,
    table: np.ndarray,
    latest: np.ndarray,
) -> None:
    """Code rows in place. alleles: uint8 (n, n_sites). kept: packed rows coded before, and these when they are."""
    n_rows, n_sites = alleles.shape
    mask = int64(table.size - 1)
    logits = np.zeros(3, dtype=np.int64)
    for r in range(n_rows):
        donor, length, misses, history = int64(-1), int64(0), int64(0), int64(0)
        for site in range(n_sites):
            slot = int64(-1)
            window = site // width
            if donor < 0 and site == window * width:
                donor, length, misses = int64(latest[groups[r, window], window]) - 1, int64(0), int64(0)
            if site >= _HISTORY and site % _STRIDE == 0:
                slot = ((history * _MIX ^ (site * 0x2545F491)) * _MIX >> 23) & mask
                if donor < 0 or _SWITCH_AT <= length < _SWITCH_AT + _STRIDE:
                    candidate = int64(table[slot]) - 1
                    if 0 <= candidate < first_row + r and candidate != donor:
                        found = _agreement(kept, candidate, alleles[r], site)
                        if found >= _LEAST_MATCH and (donor < 0 or found > length):
                            donor, length, misses = candidate, found, int64(0)
            cell = groups[r, window], site
            guess = int64(log_odds[r, site])
            guess = min(max(guess, -MAX_LOGIT), MAX_LOGIT)
            if cells[cell] == 0:
                cells[cell] = squash(guess) << 32 | _SEEN
            logits[0] = guess
            logits[1] = cell_logit(cells[cell])
            bucket, foretold = int64(0), int64(0)
            if donor >= 0:
                bucket = 1 + _bucket(length, misses)
                foretold = _allele(kept, donor, site)
                sure = cell_logit(donor_cells[bucket])
                logits[2] = sure if foretold else -sure
            else:
                logits[2] = 0
            p = squash(mixed_logit(logits, weights[bucket], 3))
            bit = code_bit(coder, data, p, int64(alleles[r, site]))
            alleles[r, site] = bit
            learn_weights(logits, weights[bucket], 3, (bit << 16) - p, _RATE)
            cells[cell] = updated_cell(cells[cell], bit, _LIMIT)
            if donor >= 0:
                right = int64(bit == foretold)
                donor_cells[bucket] = updated_cell(donor_cells[bucket], right, _DONOR_LIMIT)
                misses -= misses >> 5
                if right:
                    length += 1
                else:
                    length = int64(0)
                    misses += 256
                    if misses > 1800:
                        donor = int64(-1)
            if slot >= 0:
                table[slot] = first_row + r + 1
            history = (history << 1 | bit) & 0xFFFFFFFF
        for window in range(latest.shape[1]):
            latest[groups[r, window], window] = first_row + r + 1
        for site in range(n_sites):
            if alleles[r, site]:
                kept[first_row + r, site >> 3] |= np.uint8(1 << (7 - (site & 7)))


class GuidedAlleles:
    """A coder of haplotypes, a block of rows at a time, that learns as it goes.

    n_rows, n_sites: in all. width: sites of a window. n_groups: a row belongs to one of so many in each window.
    data: what to decode; without it, the coder encodes.
    """

    def __init__(self, n_rows: int, n_sites: int, width: int, n_groups: int, data: bytes | None = None) -> None:
        self.rows = np.zeros((n_rows, -(-n_sites // 8)), dtype=np.uint8)  # packed, all that were coded
        self._width, self._n_sites, self._done = width, n_sites, 0
        self._cells = np.zeros((n_groups, n_sites), dtype=np.int64)
        n_buckets = 1 + _LENGTHS * _MISSES
        self._donor_cells = new_cells(n_buckets, p=60000, seen=2)
        self._weights = np.full((n_buckets, 3), 22000, dtype=np.int64)
        n_slots = 1 << min(max((n_rows * n_sites).bit_length() - 2, 10), 22)
        self._table = np.zeros(n_slots, dtype=np.int32)
        self._latest = np.zeros((n_groups, -(-n_sites // width)), dtype=np.int32)
        if data is None:
            # Most of it is never touched, and takes no memory. No allele costs more than 16 bits.
            self._data = np.zeros(2 * n_rows * n_sites + 16, dtype=np.uint8)
            self._coder = new_encoder()
        else:
            self._data = np.frombuffer(data, dtype=np.uint8).copy()
            self._coder = new_decoder(self._data)

    def code(self, log_odds: np.ndarray, groups: np.ndarray, alleles: np.ndarray) -> np.ndarray:
        """The next rows. log_odds: integers (n, n_sites), in 1/2**LOGIT_BITS nat. groups: integers (n, n_windows).

        alleles: uint8 (n, n_sites) of 0 and 1; when decoding, what is in it does not matter. Returns them.
        """
        if log_odds.shape != alleles.shape or alleles.shape[1] != self._n_sites or len(groups) != len(alleles):
            raise ValueError(f"alleles {alleles.shape} have log-odds {log_odds.shape} and groups {groups.shape}")
        alleles = np.ascontiguousarray(alleles, dtype=np.uint8)
        _code_rows(
            self._coder, self._data, self._done, log_odds.astype(np.int16), groups.astype(np.int64), self._width,
            alleles, self.rows, self._cells, self._donor_cells, self._weights, self._table, self._latest,
        )  # fmt: skip
        self._done += len(alleles)
        return alleles

    def finish(self) -> bytes:
        """What an encoder wrote."""
        return finish(self._coder, self._data)
