"""From what an archive stores to what a panel is: names, sites, and haplotypes in rows."""

from collections.abc import Iterator, Sequence

import numpy as np

from haploom.archive.text.lines import LineTable
from haploom.io.vcf_header import contig_line
from haploom.panel import Variants
from haploom.panel.variants import STRING

_ROWS_AT_ONCE = 1024


def sample_names(header: bytes) -> tuple[str, ...]:
    """The names in the last line of a VCF header; bytes that are not UTF-8 come as surrogates."""
    last_line = header.rstrip(b"\r\n").rsplit(b"\n", 1)[-1]
    return tuple(name.decode(errors="surrogateescape") for name in last_line.split(b"\t")[9:])


def variants_of(tables: Sequence[LineTable], header: bytes) -> Variants:
    """Sites from their text, and contig lengths from the header. Raises ValueError where they are no panel's."""
    rows = [line.decode(errors="surrogateescape").split("\t") for table in tables for line in table.to_list()]
    chrom, position, name, ref, alt = zip(*rows) if rows else ((), (), (), (), ())
    if (several := next((text for text in alt if "," in text), None)) is not None:
        raise ValueError(f"a site has several alternate alleles ({several})")
    chroms, names, refs, alts = (np.array(column, dtype=STRING) for column in (chrom, name, ref, alt))
    lengths = dict(_contig_lengths(header))
    return Variants(chroms, np.array(position, dtype=np.int64), names, refs, alts, lengths)


def _contig_lengths(header: bytes) -> Iterator[tuple[str, int]]:
    for line in header.split(b"\n"):
        name, length = contig_line(line)
        if name is not None and length is not None:
            yield name, length


def haplotype_major(bits: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Site-major rows (n_sites, bytes) -> packed haplotypes of some people (2 * n_people, bytes)."""
    columns = np.stack([2 * people, 2 * people + 1], axis=1).ravel()
    out = np.empty((len(columns), -(-len(bits) // 8)), dtype=np.uint8)
    for start in range(0, len(columns), _ROWS_AT_ONCE):
        some = columns[start : start + _ROWS_AT_ONCE]
        alleles = bits[:, some // 8] >> (7 - some % 8).astype(np.uint8) & 1
        out[start : start + _ROWS_AT_ONCE] = np.packbits(alleles, axis=0).T
    return out
