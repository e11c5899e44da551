"""The records of a VCF as blocks of whole lines, from start to end or only near some regions."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from haploom.errors import FormatError
from haploom.io.byte_stream import STANDARD
from haploom.io.regions import OPEN_END_BP, Regions

BLOCK_BYTES = 1 << 22
# Past this a .tbi has no bins; asking to the end instead gives a superset, which the reader filters anyway.
_TBI_END_BP = 1 << 29


def all_lines(stream: BinaryIO) -> Iterator[np.ndarray]:
    """uint8 blocks of whole lines (the last may lack its line break). A block is valid until the next is asked for."""
    buffer = bytearray(BLOCK_BYTES)
    held = 0  # bytes of a line that is not whole yet, at the start of the buffer
    while True:
        if held == len(buffer):  # one line fills it
            buffer = buffer + bytearray(len(buffer))
        with memoryview(buffer) as view:
            n_read = stream.readinto(view[held:])  # type: ignore[attr-defined]
        filled = held + n_read
        if not n_read:
            if held:
                yield np.frombuffer(buffer, np.uint8, held)
            return
        whole = buffer.rfind(b"\n", held, filled) + 1
        if whole:
            yield np.frombuffer(buffer, np.uint8, whole)
            buffer[: filled - whole] = buffer[whole:filled]
        held = filled - whole


def find_index(source: Path) -> Path | None:
    """The .tbi or .csi beside a BGZF file; None when there is none, or it is older than the file it would index."""
    if source == STANDARD:
        return None
    for suffix in (".tbi", ".csi"):
        index = source.with_name(source.name + suffix)
        if index.exists() and index.stat().st_mtime >= source.stat().st_mtime:
            return index
    return None


def lines_near(source: Path, index: Path, regions: Regions) -> Iterator[np.ndarray]:
    """Blocks of the lines that an index says are near the regions, in file order, each once."""
    import pysam

    try:
        with pysam.TabixFile(str(source), index=str(index), encoding="utf-8") as file:
            for contig in file.contigs:
                previous_end = 0
                for start, end in regions.intervals(contig).tolist():
                    stop = end if end < _TBI_END_BP else None
                    block: list[str] = []
                    n_bytes = 0
                    for line in file.fetch(contig, start - 1, stop):
                        # A long REF may reach into this interval from the one before, which has given it already.
                        if previous_end and int(line.split("\t", 2)[1]) <= previous_end:
                            continue
                        block.append(line)
                        n_bytes += len(line)
                        if n_bytes > BLOCK_BYTES:
                            yield _block(block)
                            block, n_bytes = [], 0
                    if block:
                        yield _block(block)
                    previous_end = min(end, OPEN_END_BP)
    except (OSError, ValueError) as error:
        raise FormatError(
            f"{source}: cannot read through its index {index.name} ({error}): make it anew with `tabix -f {source}`"
        ) from error


def _block(lines: list[str]) -> np.ndarray:
    return np.frombuffer(bytearray("\n".join([*lines, ""]).encode()), np.uint8)
