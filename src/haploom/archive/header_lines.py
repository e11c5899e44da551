"""A VCF header as what differs from that of a reference: lines taken from it, and lines of its own between them.

Parts: numbers: how many runs there are, and for each the lines of its own before it, its first line in the reference,
its lines; the own lines, packed, those after the last run last. Lines keep their ends.
"""

from haploom.entropy_coding.byte_packing import (
    join_parts,
    number_from_bytes,
    number_to_bytes,
    pack_bytes,
    split_parts,
    unpack_bytes,
)

HEADER_CODEC = "header-beside/1"


def encode_header(header: bytes, reference: bytes) -> bytes:
    """header, reference: any text."""
    known = reference.splitlines(keepends=True)
    places: dict[bytes, int] = {}
    for place, line in enumerate(known):
        places.setdefault(line, place)
    own: list[bytes] = []
    runs: list[list[int]] = []
    n_own, after = 0, -1  # own lines since the last run, the line of the reference after that run
    for line in header.splitlines(keepends=True):
        if n_own == 0 and runs and after < len(known) and known[after] == line:
            runs[-1][2] += 1
            after += 1
        elif line in places:
            runs.append([n_own, places[line], 1])
            n_own, after = 0, places[line] + 1
        else:
            own.append(line)
            n_own += 1
    numbers = [len(runs), *(number for run in runs for number in run)]
    return join_parts([b"".join(map(number_to_bytes, numbers)), pack_bytes(b"".join(own))])


def decode_header(data: bytes, reference: bytes, max_bytes: int) -> bytes:
    """The header again. Raises ValueError for damage that shows, and for more than `max_bytes`."""
    numbers, packed = split_parts(data, 2)
    known = reference.splitlines(keepends=True)
    own = iter(unpack_bytes(packed, max_bytes).splitlines(keepends=True))
    lines: list[bytes] = []
    n_bytes = 0
    n_runs, place = number_from_bytes(numbers, 0)
    for _ in range(n_runs):
        n_own, place = number_from_bytes(numbers, place)
        first, place = number_from_bytes(numbers, place)
        n_lines, place = number_from_bytes(numbers, place)
        run = known[first : first + n_lines]
        n_bytes += sum(map(len, run))
        if len(run) != n_lines or n_bytes > max_bytes:
            raise ValueError("lines of the reference's header that it does not have, or too many")
        lines += [line for _, line in zip(range(n_own), own)]
        lines += run
    return b"".join([*lines, *own])
