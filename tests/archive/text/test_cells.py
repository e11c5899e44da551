"""Text cut into parts, the parts to bytes, and all of it back."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from vcf_texts import vcf_texts

from haploom.archive.text.assembling import assemble_text
from haploom.archive.text.calls import decode_calls, encode_calls, format_column, parse_calls
from haploom.archive.text.cutting import TextBlock, cut_text
from haploom.archive.text.fields import decode_cells, encode_fields
from haploom.archive.text.layout import decode_layout, encode_layout


class Trickle(io.RawIOBase):
    """A stream that hands out a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step, self._place = data, step, 0

    def readinto(self, target) -> int:
        part = self._data[self._place : self._place + min(self._step, len(target))]
        target[: len(part)] = part
        self._place += len(part)
        return len(part)


def stored_and_back(block: TextBlock) -> TextBlock:
    """The block rebuilt from the bytes of its cells and layout; its fixed columns are taken as they are."""
    limit = block.n_text_bytes
    calls = parse_calls(block)
    stored_calls, stored_fields, stored_layout = (
        encode_calls(calls),
        encode_fields(block, calls),
        encode_layout(block.layout),
    )
    calls = decode_calls(stored_calls, calls.bits, block.n_samples, limit)
    cells = decode_cells(stored_fields, calls, format_column(block), limit)
    layout = decode_layout(stored_layout, block.n_records, limit)
    return TextBlock(block.n_samples, block.sites, block.annotations, calls.plain, calls.bits, cells, layout, limit)


def text_of(block: TextBlock) -> bytes:
    pieces = assemble_text(
        block.n_samples, block.sites, block.annotations, block.plain, block.bits, block.cells, block.layout
    )
    return b"".join(piece.tobytes() for piece in pieces)


@given(vcf_texts(), st.integers(1, 8), st.sampled_from([40, 200, 1 << 20]))
@settings(max_examples=300)
def test_text__every_byte_comes_back(text, max_records, max_text_bytes):
    header, blocks = cut_text(io.BytesIO(text), max_records, max_text_bytes)
    blocks = list(blocks)
    assert header.text + b"".join(map(text_of, blocks)) == text
    assert header.text + b"".join(text_of(stored_and_back(block)) for block in blocks) == text
    assert all(block.n_text_bytes > 0 and block.n_records <= max_records for block in blocks)
