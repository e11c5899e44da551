"""INFO that follows from the genotypes: allele counts, numbers of alleles, people, and frequencies.

For each key the block is asked which predictor spells most of its values; the order of the predictors is fixed
and ties go to the first. Names of keys are not looked at, so `EAS_AF`, `AF_eas` and `MAF_EAS` are all found.
A frequency is alternate / called in IEEE double precision, correctly rounded to decimal, as C and Python spell it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from haploom.archive.text.counts import GenotypeCounts

_SAMPLED = 128  # records on which the predictors are compared
_MOST_DECIMALS = 9

Spelling = Callable[[float], str]


def _stripped(decimals: int) -> Spelling:
    def spell(value: float) -> str:
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".")

    return spell


def _fixed(decimals: int) -> Spelling:
    return lambda value: f"{value:.{decimals}f}"


def _significant(digits: int) -> Spelling:
    return lambda value: f"{value:.{digits}g}"


def _scientific(decimals: int) -> Spelling:
    return lambda value: f"{value:.{decimals}e}"


def _single_precision(value: float) -> str:
    """A float of 32 bits with 6 significant digits: what BCF keeps of a frequency, as htslib prints it."""
    return f"{float(np.float32(value)):.6g}"


def _spellings() -> list[Spelling]:
    """Position in this list is stored in archives: only ever append."""
    decimals = range(1, _MOST_DECIMALS + 1)
    return [
        *map(_stripped, decimals),
        *map(_fixed, decimals),
        *map(_significant, decimals),
        *map(_scientific, decimals),
        _single_precision,
        repr,
    ]


SPELLINGS = _spellings()


class Predictor(NamedTuple):
    """quantity: one of `QUANTITIES`. group: 0 for everybody, else 1 + index of the label. spelling: of frequencies."""

    quantity: int
    group: int
    spelling: int


ALTERNATE, CALLED, SAMPLES, FREQUENCY = range(4)


def predicted_values(
    predictor: Predictor, counts: GenotypeCounts, n_alternates: np.ndarray, records: np.ndarray
) -> list[bytes]:
    """What the predictor says for each of `records`: comma-separated over the record's ALT alleles.

    n_alternates: int64 (n_records,). records: int64 (n,). Raises ValueError for a predictor there cannot be.
    """
    quantity, group, spelling = predictor
    if not (0 <= group <= len(counts.groups) and 0 <= quantity <= FREQUENCY and 0 <= spelling < len(SPELLINGS)):
        raise ValueError(f"no such predictor: {predictor}")
    if quantity == SAMPLES:
        return [b"%d" % n for n in counts.samples_with_calls[records].tolist()]
    called, alternate = _of_group(counts, group)
    called = called[records]
    if quantity == CALLED:
        return [b"%d" % n for n in called.tolist()]
    width = alternate.shape[1]
    n_items = np.minimum(n_alternates[records], width)
    in_list = np.arange(width) < n_items[:, None]
    items = alternate[records][in_list]
    if quantity == ALTERNATE:
        texts = [b"%d" % n for n in items.tolist()]
    else:
        texts = _frequencies(items, np.repeat(called, n_items), SPELLINGS[spelling])
    if width == 1 and in_list.all():
        return texts
    ends = np.cumsum(n_items).tolist()
    return [b",".join(texts[end - n : end]) for end, n in zip(ends, n_items.tolist())]


def _frequencies(alternate: np.ndarray, called: np.ndarray, spell: Spelling) -> list[bytes]:
    """alternate / called as text; nothing where nobody was called. Each pair is spelled once."""
    most = int(called.max(initial=0)) + 1
    different, index = np.unique(alternate * most + called, return_inverse=True)
    pairs = [divmod(pair, most) for pair in different.tolist()]
    texts = [spell(a / n).encode() if n > 0 else b"" for a, n in pairs]
    return [texts[i] for i in index.tolist()]


def best_predictor(
    values: list[bytes], records: np.ndarray, counts: GenotypeCounts, n_alternates: np.ndarray
) -> Predictor | None:
    """The predictor that spells most of a sample of a key's values, if it spells at least half.

    records: int64 (n_values,), the record of each value.
    """
    chosen = np.unique(np.linspace(0, len(values) - 1, min(_SAMPLED, len(values))).astype(np.int64))
    sample = [values[i] for i in chosen.tolist()]
    best, most = None, (len(sample) - 1) // 2
    for predictor in _worth_trying(sample, records[chosen], counts):
        predicted = predicted_values(predictor, counts, n_alternates, records[chosen])
        hits = sum(map(bytes.__eq__, predicted, sample))
        if hits > most:
            best, most = predictor, hits
        if hits == len(sample):
            break
    return best


def _worth_trying(sample: list[bytes], records: np.ndarray, counts: GenotypeCounts) -> Iterator[Predictor]:
    """All counts; frequencies in every spelling, but only of the group whose frequencies are nearest."""
    n_groups = 1 + len(counts.groups)
    yield Predictor(SAMPLES, 0, 0)
    for group in range(n_groups):
        yield Predictor(CALLED, group, 0)
        yield Predictor(ALTERNATE, group, 0)
    found = np.array([_first_number(value) for value in sample])
    if 2 * np.count_nonzero((found >= 0) & (found <= 1)) < len(sample) or not counts.alternate.shape[1]:
        return
    distances = []
    for group in range(n_groups):
        called, alternate = _of_group(counts, group)
        frequency = alternate[records, 0] / np.maximum(called[records], 1)
        distances.append(np.nansum(np.abs(frequency - found)))
    nearest = int(np.argmin(distances))
    for spelling in range(len(SPELLINGS)):
        yield Predictor(FREQUENCY, nearest, spelling)


def _first_number(value: bytes) -> float:
    try:
        return float(value.partition(b",")[0])
    except ValueError:
        return float("nan")


def _of_group(counts: GenotypeCounts, group: int) -> tuple[np.ndarray, np.ndarray]:
    """(called, alternate) of everybody or of a label."""
    return (counts.called, counts.alternate) if not group else counts.groups[group - 1][1:]
