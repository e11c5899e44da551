"""BCF as the text of a VCF, which htslib makes of it; everything after that is the VCF reader's.

Values of other columns are spelt as `bcftools view` spells them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from haploom.errors import FormatError
from haploom.io.regions import OPEN_END_BP, Regions
from haploom.io.vcf_text import BLOCK_BYTES, find_index


@contextmanager
def open_bcf(source: Path, regions: Regions) -> Iterator[tuple[BinaryIO, Iterator[np.ndarray]]]:
    """The header as a stream of text, and blocks of whole lines of the records near the regions (all without any).

    A region is read through the .csi beside the file, where there is one. Raises FormatError.
    """
    import pysam

    index = find_index(source) if regions else None
    silent = pysam.set_verbosity(0)  # htslib prints of its own accord what an exception will tell
    try:
        with pysam.VariantFile(str(source), "rb", index_filename=str(index) if index else None) as file:
            records = _near(file, regions) if index else iter(file)
            yield BytesIO(str(file.header).encode()), _blocks(records)
    except (OSError, ValueError) as error:
        raise FormatError(f"{source}: htslib cannot read it ({error}): is it damaged? Get the file again") from error
    finally:
        pysam.set_verbosity(silent)


def bcf_text(source: Path) -> Iterator[bytes]:
    """The whole file as the text `bcftools view --no-version` prints, in pieces. Raises FormatError."""
    with open_bcf(source, Regions(())) as (header, blocks):
        yield header.read()
        for block in blocks:
            yield block.tobytes()


def _near(file: Any, regions: Regions) -> Iterator[Any]:
    """Records near the regions, in file order, each once."""
    for contig in file.index:
        previous_end = 0
        for start, end in regions.intervals(contig).tolist():
            for record in file.fetch(contig, start - 1, end if end < OPEN_END_BP else None):
                # A long REF may reach into this interval from the one before, which has given it already.
                if record.pos + 1 > previous_end:
                    yield record
            previous_end = min(end, OPEN_END_BP)


def _blocks(records: Iterator[Any]) -> Iterator[np.ndarray]:
    lines: list[bytes] = []
    n_bytes = 0
    for record in records:
        lines.append(str(record).encode())
        n_bytes += len(lines[-1])
        if n_bytes > BLOCK_BYTES:
            yield _joined(lines)
            lines, n_bytes = [], 0
    if lines:
        yield _joined(lines)


def _joined(lines: list[bytes]) -> np.ndarray:
    return np.frombuffer(bytearray(b"".join(lines)), np.uint8)
