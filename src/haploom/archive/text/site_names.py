"""IDs that are made of the other columns of their record, such as `22:50244251:G:A` or `chr22_50244251_G_A_b37`.

A pattern is the text around CHROM, POS and, where they are in the name, REF and ALT: stored as one byte (0 CHROM
as it is, 1 without `chr` at its front), then three or five texts with tabs between.
"""

import re
from collections import Counter

LONGEST_PATTERN = 64  # bytes
_SAMPLED = 64
_AS_IS, _WITHOUT_CHR = b"\0", b"\1"
_BETWEEN = rb"([^0-9A-Za-z\t]+)"


def best_pattern(names: list[bytes], chrom: list[bytes], pos: list[bytes], ref: list[bytes], alt: list[bytes]) -> bytes:
    """The pattern that makes most of a sample of the names, if it makes at least half of it; else nothing."""
    sample = range(0, len(names), 1 + len(names) // _SAMPLED)
    found = Counter(_pattern_of(names[i], chrom[i], pos[i], ref[i], alt[i]) for i in sample)
    found = Counter({pattern: n for pattern, n in found.items() if 0 < len(pattern) <= LONGEST_PATTERN})
    best, hits = max(found.items(), key=lambda item: item[1], default=(b"", 0))
    return best if 2 * hits >= len(sample) else b""


def _pattern_of(name: bytes, chrom: bytes, pos: bytes, ref: bytes, alt: bytes) -> bytes:
    """How the name is made of the columns, in this order; nothing when it is not."""
    for form in (_AS_IS, _WITHOUT_CHR):
        contig = _contig(form, chrom)
        if not (contig and pos and ref and alt):
            continue
        for parts in ((contig, pos, ref, alt), (contig, pos)):
            match = re.fullmatch(rb"([^\t]*?)" + _BETWEEN.join(map(re.escape, parts)) + rb"([^\t]*)", name, re.DOTALL)
            if match:
                return form + b"\t".join(match.groups())
    return b""


def names_of(pattern: bytes, chrom: list[bytes], pos: list[bytes], ref: list[bytes], alt: list[bytes]) -> list[bytes]:
    """The name of every record under the pattern. Raises ValueError for what cannot be a pattern."""
    form, texts = pattern[:1], pattern[1:].split(b"\t")
    if form not in (_AS_IS, _WITHOUT_CHR) or len(texts) not in (3, 5) or len(pattern) > LONGEST_PATTERN:
        raise ValueError("a pattern of IDs that cannot be")
    before, between, *further, after = texts
    if not further:
        return [before + _contig(form, c) + between + p + after for c, p in zip(chrom, pos)]
    to_ref, to_alt = further
    return [
        before + _contig(form, c) + between + p + to_ref + r + to_alt + a + after
        for c, p, r, a in zip(chrom, pos, ref, alt)
    ]


def _contig(form: bytes, chrom: bytes) -> bytes:
    return chrom.removeprefix(b"chr") if form == _WITHOUT_CHR else chrom
