"""Texts over the whole scope of VCF, through files: every byte comes back, whatever the level, blocks and threads."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haploom.archive import open_archive
from haploom.compression import compress, writer
from haploom.compression.checks import verify_against
from vcf_texts import vcf_texts

BCFTOOLS = shutil.which("bcftools")
needs_bcftools = pytest.mark.skipif(BCFTOOLS is None, reason="bcftools is not on PATH")


@contextmanager
def block_limits(records, text_bytes=1 << 20):
    """Blocks of every level hold so little."""
    limits = writer.BlockLimits(records, 1 << 20, text_bytes)
    with mock.patch.dict(writer.LEVELS, {level: limits for level in writer.LEVELS}):
        yield


def text_of(path, threads=1):
    return b"".join(open_archive(path).text(threads))


@settings(max_examples=150)
@given(
    vcf_texts(max_records=30), st.sampled_from(sorted(writer.LEVELS)), st.integers(1, 12), st.sampled_from([64, 1 << 20])
)  # fmt: skip
def test_torture__every_byte_comes_back(text, level, records, text_bytes):
    with TemporaryDirectory() as folder, block_limits(records, text_bytes):
        source, one, two = (Path(folder) / name for name in ("a.vcf", "1.hlm", "2.hlm"))
        source.write_bytes(text)
        about = compress(source, one, level=level, threads=1)
        compress(source, two, level=level, threads=2, verify=False)
        assert one.read_bytes() == two.read_bytes()
        assert text_of(one) == text_of(one, threads=2) == text
        assert about["text_bytes"] == len(text)
        verify_against(open_archive(one), source)
