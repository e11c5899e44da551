"""Damaged bytes of cells: a ValueError or other cells, never anything worse."""

import contextlib
import io
import random

import numpy as np
import pytest

from haploom.archive.text.calls import decode_calls, encode_calls, format_column, parse_calls
from haploom.archive.text.cutting import cut_text
from haploom.archive.text.fields import decode_cells, encode_fields
from haploom.archive.text.layout import decode_layout, encode_layout

CALLS = ["0|0", "0/1", "./.", ".", "2|1", "1", "0/0/1/3", "00|1", "1|12"]


@pytest.fixture(scope="module")
def stored():
    """A block of 40 records x 7 people of every kind, and its bytes."""
    rng = random.Random(4)
    lines = [b"##odd?", b"#" + b"\t".join([b"CHROM", *[b"X"] * 8, *(b"S%d" % s for s in range(7))])]
    for record in range(40):
        text = rng.choice(["GT", "GT", "GT:DP:PL", "DP:GT", "FT:DP", "GT:DS:GT"])
        cells = []
        for _ in range(7):
            call = rng.choice(CALLS if record % 4 else ["0|1", "1|0"])
            values = [rng.choice(["7", "0,30,255", "0.25", "PASS", "."]) for _ in range(3)]
            values = [call if key == "GT" else value for key, value in zip(text.split(":"), values)]
            cells.append(":".join(values[: rng.choice([1, 3, 3])]) + rng.choice([""] * 9 + [":x"]))
        fixed = ["22", str(record), ".", "A", "C", ".", ".", ".", text]
        lines.append("\t".join([*fixed, *cells]).encode() + rng.choice([b"", b"\r"]))
        lines += [b"odd"] * (rng.random() < 0.1)
    _, blocks = cut_text(io.BytesIO(b"\n".join(lines)))
    (block,) = blocks
    calls = parse_calls(block)
    return block, calls, [encode_calls(calls), encode_fields(block, calls), encode_layout(block.layout)]


def decoded(block, bits, formats, stored_calls, stored_fields, stored_layout):
    limit = block.n_text_bytes
    calls = decode_calls(stored_calls, bits, block.n_samples, limit)
    cells = decode_cells(stored_fields, calls, formats, limit)
    layout = decode_layout(stored_layout, block.n_records, limit)
    assert cells.text.size <= limit
    assert layout.odd.text.size <= limit
    assert len(layout.line_ends) == block.n_records
    return calls, cells, layout


@pytest.mark.parametrize("part", [0, 1, 2], ids=["calls", "fields", "layout"])
def test_cells__damaged_bytes_never_lead_astray(stored, part):
    block, calls, parts = stored
    formats = format_column(block)
    rng = random.Random(part)
    n_told = 0
    for _ in range(400):
        damaged = bytearray(parts[part])
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        damaged = damaged[: rng.choice([len(damaged)] * 3 + [rng.randrange(len(damaged))])]
        if rng.random() < 0.1:
            damaged += bytes(rng.randrange(256) for _ in range(20))
        try:
            decoded(block, calls.bits, formats, *parts[:part], bytes(damaged), *parts[part + 1 :])
        except ValueError:
            n_told += 1
    assert n_told > 20


def test_cells__other_bits_and_formats_never_lead_astray(stored):
    block, calls, parts = stored
    rng = np.random.default_rng(1)
    for _ in range(100):
        bits = rng.integers(0, 256, calls.bits.shape, dtype=np.uint8)
        formats = [[b"GT", b"GT:DP", b"DP", b""][i] for i in rng.integers(0, 4, len(format_column(block)))]
        with pytest.raises(ValueError, match="FORMAT"):
            decoded(block, calls.bits, formats, *parts)
        with contextlib.suppress(ValueError):
            decoded(block, bits, format_column(block), *parts)


def test_cells__sizes_that_lie_take_no_memory(stored):
    block, calls, parts = stored
    with pytest.raises(ValueError, match="at most"):
        decode_cells(parts[1], decode_calls(parts[0], calls.bits, 7, 10**6), format_column(block), 100)
