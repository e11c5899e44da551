"""Text cut into parts, the parts to bytes, and all of it back."""

import hashlib
import io
import lzma
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vcf_texts import vcf_texts

from haploom.archive.text.assembling import assemble_text
from haploom.archive.text.calls import decode_calls, encode_calls, format_column, parse_calls
from haploom.archive.text.cutting import TextBlock, cut_text
from haploom.archive.text.fields import decode_cells, encode_fields
from haploom.archive.text.layout import decode_layout, encode_layout
from haploom.io.byte_stream import open_bytes


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


@given(vcf_texts(), st.data())
def test_cells__of_some_records_and_people(text, data):
    header, blocks = cut_text(io.BytesIO(text), max_records=8)
    n = header.n_samples
    people = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    for block in blocks:
        n_records = block.n_records
        records = np.array(data.draw(st.lists(st.booleans(), min_size=n_records, max_size=n_records)), dtype=bool)
        calls = parse_calls(block)
        fields = encode_fields(block, calls)
        got = decode_cells(fields, calls, format_column(block), block.n_text_bytes, records, people)
        chosen = np.flatnonzero(records[~block.plain]).tolist()
        wanted = [np.array(block.cells.line(row).split(b"\t"), dtype=object) for row in chosen]
        assert got.to_list() == [b"\t".join(cells[people]) if n else b"" for cells in wanted]


def test_cut_text__by_hand():
    text = b"##a\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB\n"
    text += b"22\t5\trs1\tA\tC\t.\tPASS\tX=1\tGT\t0|1\t1|1\r\n\n#x\n22\t7\t.\tG\t<DEL>\t9\t.\t.\tGT:DP\t0/1:7\t.\nend"
    header, blocks = cut_text(io.BytesIO(text))
    (block,) = blocks
    assert (header.text, header.n_columns, header.n_fixed, header.n_samples) == (text[: text.index(b"22")], 11, 9, 2)
    assert block.sites.to_list() == [b"22\t5\trs1\tA\tC", b"22\t7\t.\tG\t<DEL>"]
    assert block.annotations.to_list() == [b".\tPASS\tX=1\tGT", b"9\t.\t.\tGT:DP"]
    assert block.plain.tolist() == [True, False]
    assert block.bits.tolist() == [[0b01110000], [0]]
    assert block.cells.to_list() == [b"0/1:7\t."]
    assert block.layout.line_ends.tolist() == [1, 0]
    assert block.layout.odd.to_list() == [b"\n#x\n", b"end"]
    assert block.layout.odd_places.tolist() == [1, 2]
    calls = parse_calls(block)
    assert calls.bits.tolist() == [[0b01110000], [0b01000000]]
    assert calls.shape_texts == (b"", b"", b"0/0", b".")
    assert calls.shapes.tolist() == [[2, 3]]


@given(vcf_texts(), st.integers(1, 50))
@settings(max_examples=30)
def test_cut_text__blocks_do_not_depend_on_the_stream(text, step):
    def cut(stream):
        return [(text_of(block), block.n_records) for block in cut_text(stream, 4, 150)[1]]

    assert cut(Trickle(text, step)) == cut(io.BytesIO(text))


def packed_bytes(text: bytes) -> int:
    """Bytes of all cells of a text, without the bits."""
    _, blocks = cut_text(io.BytesIO(text))
    total = 0
    for block in blocks:
        assert text_of(stored_and_back(block)) == text_of(block)
        calls = parse_calls(block)
        total += len(encode_calls(calls)) + len(encode_fields(block, calls))
    return total


def depth_and_quality_text(n_people: int = 40, n_records: int = 400) -> bytes:
    """Unphased calls with read depths, qualities and likelihoods that follow from reads, as a caller writes them."""
    rng = np.random.default_rng(8)
    names = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *map(str, range(n_people))]
    lines = ["#" + "\t".join(names)]
    for record in range(n_records):
        dosages = rng.binomial(2, rng.beta(0.3, 1.5), n_people)
        depths = rng.poisson(25, n_people)
        reads = rng.binomial(depths, np.array([0.002, 0.5, 0.998])[dosages])
        error = rng.normal(33, 2, n_people)
        costs = np.stack([reads * error, 3.01 * depths, (depths - reads) * error], axis=1)
        costs = np.rint(costs - costs.min(axis=1, keepdims=True)).astype(int)
        cells = [
            f"{('0/0', '0/1', '1/1')[c.argmin()]}:{d - r},{r}:{d}:{min(sorted(c)[1], 99)}:{c[0]},{c[1]},{c[2]}"
            if d
            else "./."
            for d, r, c in zip(depths, reads, costs)
        ]
        lines.append("\t".join(["1", str(record), ".", "A", "C", ".", ".", ".", "GT:AD:DP:GQ:PL", *cells]))
    return "\n".join(lines).encode()


def test_fields__smaller_than_xz_makes_their_text():
    text = depth_and_quality_text()
    assert packed_bytes(text) < 0.8 * len(lzma.compress(text))


def test_calls__males_and_missing_runs_cost_little():
    # 300 records of chromosome X: men have one allele; one person is missing over a run of records.
    rng = np.random.default_rng(3)
    male = rng.random(100) < 0.5
    lines = ["#" + "\t".join(["CHROM", *["X"] * 8, *map(str, range(100))])]
    for record in range(300):
        alleles = rng.integers(0, 2, (100, 2))
        cells = [f"{a}" if one else f"{a}|{b}" for one, (a, b) in zip(male, alleles)]
        if 100 <= record < 200:
            cells[7] = "."
        lines.append("\t".join(["X", str(record), ".", "A", "C", ".", ".", ".", "GT", *cells]))
    assert packed_bytes("\n".join(lines).encode()) < 120


def test_text__real_data(real_data):
    for name in ("chr22-dense.vcf.gz", "chr22-whole.vcf.gz"):
        with open_bytes(real_data / name) as stream:
            header, blocks = cut_text(stream, max_records=512)
            digest = hashlib.sha256(header.text)
            expected = hashlib.sha256()
            for block, _ in zip(blocks, range(4)):
                assert block.plain.all()
                digest.update(text_of(stored_and_back(block)))
        with open_bytes(real_data / name) as stream:
            expected.update(stream.read(len(header.text)))
            for _ in range(4 * 512):
                expected.update(stream.readline())
        assert digest.digest() == expected.digest()


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
@pytest.mark.parametrize("change", [["q", ".", "-i", "GT='1|1'"], ["a", "u"]], ids=["missing", "unphased"])
def test_text__real_calls_changed_by_bcftools(real_data, tmp_path, change):
    few = tmp_path / "few.vcf"
    source = real_data / "chr22-whole.vcf.gz"
    subprocess.run(["bcftools", "view", "-r", "22:20000000-20300000", source, "-o", few], check=True)
    command = ["bcftools", "+setGT", few, "--", "-t", change[0], "-n", change[1], *change[2:]]
    text = subprocess.run(command, check=True, capture_output=True).stdout
    header, blocks = cut_text(io.BytesIO(text))
    blocks = list(blocks)
    assert not all(block.plain.all() for block in blocks)
    assert header.text + b"".join(text_of(stored_and_back(block)) for block in blocks) == text
