"""One block of phased biallelic genotypes as bytes, without loss.

The stream (codec id `genotypes/1`, and `genotypes/2` where it may have level 4):
- byte 0: level, 0 to 4. Level 0 is the fallback: the rest are the alleles as bits, site after site, the highest bit
  of a byte first, without padding between sites.
- byte 1 (levels 1 to 4): the first class of common sites; sites of lower classes are rare.
- the rest: one stream of the range coder (`range_coder`): the class of every site (`site_classes`), then the common
  sites (`common_runs` at level 1, `common_sites` at levels 2 and 3, `learned_sites` at level 4), then the rare sites
  (`rare_sites`).
The numbers of sites and haplotypes are kept by whoever keeps the bytes.

Any bytes decode to some alleles in bounded time and memory: a checksum of the alleles is the archive's to keep.
"""

import numpy as np

from haploom.entropy_coding import common_runs, common_sites, learned_sites
from haploom.entropy_coding.learned_expert import shipped_network
from haploom.entropy_coding.range_coder import finish, is_full, new_decoder, new_encoder
from haploom.entropy_coding.rare_sites import code_rare_sites, gather_carriers, spread_carriers
from haploom.entropy_coding.site_classes import BOUNDS, classes_of, code_classes

CODEC_ID = "genotypes/1"
LEARNED_CODEC_ID = "genotypes/2"  # of blocks at level `learned`; whoever knows genotypes/1 alone cannot read it
LEVELS = {"fast": 1, "default": 2, "max": 3, "learned": 4}
_PLAIN = 0
# What the levels above `fast` mix. PBWT orders as (lowest minor-allele frequency in %, run, phase) of the sites they
# pass (see `code_common_sites`), the main order first; the donors of each haplotype; and whether
# unanimous alleles skip the mix.
ORDERS = ((0, 0, 0), (10, 0, 0), (40, 0, 0), (0, 1, 0), (0, 1, 1), (0, 16, 0), (0, 16, 1))
MORE_ORDERS = ((0, 4, 0), (0, 4, 1), (0, 64, 0), (0, 64, 1))
_N_DONORS = 16
_MIXES = {LEVELS["default"]: (ORDERS, 0, True), LEVELS["max"]: (ORDERS + MORE_ORDERS, _N_DONORS, False)}
_NOBODY_ASKS = np.empty((0, 0), dtype=np.int16)
_MOST_RARE_CLASS = 12  # rare sites have at most 63 carriers: bounds what a damaged header can ask for


def encode_block(alleles: np.ndarray, level: str = "default") -> bytes:
    """The bytes of one block, never more than one bit an allele and two bytes.

    alleles: uint8 (n_sites, n_haplotypes) of 0 and 1, site-major. level: a key of LEVELS.
    The same alleles and level give the same bytes on every machine.
    """
    n_sites, n = alleles.shape
    alleles = np.ascontiguousarray(alleles)
    counts = np.count_nonzero(alleles, axis=1)
    flipped = (2 * counts > n).astype(np.uint8)
    minor_counts = np.where(flipped, n - counts, counts)
    classes = classes_of(minor_counts)
    common_class = first_common_class(n)
    common, rare = np.flatnonzero(classes >= common_class), np.flatnonzero(classes < common_class)

    data = np.zeros(-(-alleles.size // 8), dtype=np.uint8)  # no room for more than the fallback takes
    coder = new_encoder()
    code_classes(coder, data, classes, flipped)
    columns = alleles[common]
    columns ^= flipped[common, None]
    _code_common(LEVELS[level], coder, data, columns, common, classes[common])
    found = minor_counts[rare]
    first, n_slots = _carrier_slots(classes[rare], n)
    carriers = np.zeros(n_slots, dtype=np.int32)
    gather_carriers(alleles, flipped, rare, first, carriers)
    code_rare_sites(coder, data, carriers, first, found, classes[rare], rare, columns, common, n_sites)
    coded = finish(coder, data)
    if is_full(coder) or len(coded) > len(data):
        return bytes([_PLAIN]) + np.packbits(alleles).tobytes()
    return bytes([LEVELS[level], common_class]) + coded


def decode_block(data: bytes, n_sites: int, n_haplotypes: int) -> np.ndarray:
    """The alleles of one block: uint8 (n_sites, n_haplotypes) of 0 and 1.

    Raises ValueError when the first bytes name no level we know or the fallback has another length. Other
    damage gives wrong alleles.
    """
    if not data:
        raise ValueError("genotype block: no bytes")
    n = n_haplotypes
    level, stream = data[0], np.frombuffer(bytearray(data), dtype=np.uint8)
    if level == _PLAIN:
        if len(data) - 1 != -(-n_sites * n // 8):
            raise ValueError(f"genotype block: {len(data) - 1} bytes of plain bits for {n_sites} x {n} alleles")
        return np.unpackbits(stream[1:], count=n_sites * n).reshape(n_sites, n)
    if level not in LEVELS.values() or len(data) < 2 or not 1 <= data[1] <= _MOST_RARE_CLASS:
        raise ValueError(f"genotype block: level and first common class {data[:2].hex()} are not known")
    common_class, stream = data[1], stream[2:]

    alleles = np.zeros((n_sites, n), dtype=np.uint8)
    if alleles.size == 0:
        return alleles
    coder = new_decoder(stream)
    classes, flipped = np.zeros(n_sites, dtype=np.uint8), np.zeros(n_sites, dtype=np.uint8)
    code_classes(coder, stream, classes, flipped)
    common, rare = np.flatnonzero(classes >= common_class), np.flatnonzero(classes < common_class)
    columns = np.zeros((len(common), n), dtype=np.uint8)
    _code_common(level, coder, stream, columns, common, classes[common])
    found = np.zeros(len(rare), dtype=np.int64)
    first, n_slots = _carrier_slots(classes[rare], n)
    carriers = np.zeros(n_slots, dtype=np.int32)
    code_rare_sites(coder, stream, carriers, first, found, classes[rare], rare, columns, common, n_sites)
    columns ^= flipped[common, None]
    alleles[common] = columns
    spread_carriers(carriers, first, found, rare, flipped, alleles)
    return alleles


def first_common_class(n: int) -> int:
    """First class of common sites among n haplotypes: minor counts from about 0.5 % on."""
    return min(int(classes_of(np.array([max(n // 200, 2)]))[0]), _MOST_RARE_CLASS)


def _code_common(
    level: int, coder: np.ndarray, data: np.ndarray, columns: np.ndarray, sites: np.ndarray, classes: np.ndarray
) -> None:
    """The common sites, in and out, as the level says."""
    if level == LEVELS["fast"]:
        common_runs.code_common_sites(coder, data, columns, sites, classes)
        return
    if level == LEVELS["learned"]:
        rules = _rules(ORDERS + MORE_ORDERS, columns.shape[1])
        learned_sites.code_common_sites(
            coder, data, columns, sites, classes, rules, _N_DONORS, shipped_network(), _NOBODY_ASKS
        )
        return
    orders, n_donors, shortcut = _MIXES[level]
    rules = _rules(orders, columns.shape[1])
    common_sites.code_common_sites(coder, data, columns, sites, classes, rules, n_donors, shortcut)


def _rules(orders: tuple[tuple[int, int, int], ...], n: int) -> np.ndarray:
    """The orders as kernels take them, of n haplotypes: the lowest class in place of the lowest frequency."""
    rules = np.array(orders, dtype=np.int64)
    rules[:, 0] = classes_of(rules[:, 0] * n // 100)
    return rules


def _carrier_slots(classes: np.ndarray, n: int) -> tuple[np.ndarray, int]:
    """Where the carriers of each rare site start, int64 (n_rare,), and the room for all of them."""
    room = np.minimum(BOUNDS[classes.astype(np.int64) + 1] - 1, n)
    return np.cumsum(room) - room, int(room.sum())
