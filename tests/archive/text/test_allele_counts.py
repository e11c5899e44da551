"""Allele counts against a slow reading of the text."""

import io
import re
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from vcf_texts import vcf_texts

from haploom.archive.text.allele_counts import MOST_ALTERNATES, count_genotypes
from haploom.archive.text.call_kernels import RAW
from haploom.archive.text.calls import CALLED, parse_calls
from haploom.archive.text.cutting import cut_text


def slow_calls(line: bytes) -> list[list[int] | None]:
    """Numbers of alleles called of each sample; None without GT or where it is kept as text."""
    format_text, *cells = line.split(b"\t")[8:]
    keys = format_text.split(b":")
    if b"GT" not in keys:
        return [None] * len(cells)
    fields = [cell.split(b":") for cell in cells]
    place = keys.index(b"GT")
    calls = [cell[place] if place < len(cell) else b"" for cell in fields]
    return [[int(number) for number in re.findall(rb"[0-9]+", call)] for call in calls]


@given(vcf_texts(), st.data())
def test_count_genotypes__as_read_slowly(text, data):
    header, blocks = cut_text(io.BytesIO(text))
    body = text[len(header.text) :]
    lines = [line.removesuffix(b"\r") for line in body.split(b"\n")]
    lines = [line for line in lines if line.count(b"\t") == header.n_columns - 1 and line[:1] != b"#"]
    member = np.array(data.draw(st.lists(st.booleans(), min_size=header.n_samples, max_size=header.n_samples)), bool)
    for block in blocks:
        calls = parse_calls(block)
        counts = count_genotypes(calls, {"group": member})
        raw = np.zeros((block.n_records, header.n_samples), dtype=bool)
        raw[calls.kinds == CALLED] = calls.shapes == RAW
        ((name, group_called, group_alternate),) = counts.groups
        assert name == "group"
        for record in range(block.n_records):
            slow = slow_calls(lines[record]) if header.n_samples else []
            slow = [[] if raw[record, s] or call is None else call for s, call in enumerate(slow)]
            assert counts.samples_with_calls[record] == sum(map(bool, slow))
            for chosen, called, alternate in [
                (range(header.n_samples), counts.called, counts.alternate),
                (np.flatnonzero(member), group_called, group_alternate),
            ]:
                found = Counter(allele for sample in chosen for allele in slow[sample])
                assert called[record] == found.total()
                expected = [found[1 + i] for i in range(alternate.shape[1])]
                assert alternate[record].tolist() == expected
                assert all(allele <= alternate.shape[1] or allele > MOST_ALTERNATES for allele in found)
