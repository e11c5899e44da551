"""docs/spec/beside-1.md is enough to read headers, sites and plain alleles beside a reference: its words written anew.

Not annotations, nor alleles of levels 1 to 3: tests/entropy_coding/test_reference_block.py pins the bytes of those.
"""

import hashlib
import json
import re
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from spec_coders import integers, number, numbers, parts, symbols, unpacked
from spec_columns import corrections, none, sites

from haploom.archive import open_archive
from haploom.compression import compress
from haploom.entropy_coding.reference_block import decode_beside, encode_beside

VECTORS = Path(__file__).parents[1] / "vectors" / "archive-1"
HEADER = b"##fileformat=VCFv4.2\n##contig=<ID=22>\n##source=panel\n##INFO=<ID=DP,Number=1,Type=Integer,Description=x>\n"
NAMES = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
SITES = [(1000 + 7 * i, f"rs{100 + 3 * i}", "ACGT"[i % 4], "CGTA"[i % 4]) for i in range(40)]


def records(chosen, alleles, names=None):
    text = b""
    for site, row in zip(chosen, alleles):
        position, name, ref, alt = site
        name = (names or {}).get(position, name)
        cells = "\t".join(f"{a}|{b}" for a, b in row.reshape(-1, 2))
        text += f"22\t{position}\t{name}\t{ref}\t{alt}\t.\t.\tDP={position % 17}\tGT\t{cells}\n".encode()
    return text


def header_of(data, reference):
    """Section 1."""
    coded, own_lines = parts(data, 2)
    theirs = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", reference)
    ours = iter(re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", unpacked(own_lines)))
    n_runs, *rest = numbers(coded)
    assert len(rest) == 3 * n_runs
    found = []
    for run in range(n_runs):
        own, first, n = rest[3 * run : 3 * run + 3]
        found += [next(ours) for _ in range(own)] + theirs[first : first + n]
        assert first + n <= len(theirs)
    return b"".join([*found, *ours])


def sites_of(data, n_records, reference_sites, starts, carried, carriers):
    """Section 2. reference_sites: lists of columns; starts: where its blocks begin. carried: of such rows, those with a
    new bit; carriers: of each row, in the reference."""
    head, coded_presence, coded_others, names, own = parts(data, 5)
    n_spans, *rest = numbers(head)
    spans, (presence,) = [rest[3 * i : 3 * i + 3] for i in range(n_spans)], rest[3 * n_spans :]
    rows = []
    for block, first, n in spans:
        first += starts[block]
        assert not rows or rows[-1] < first
        rows += range(first, first + n)
    if presence == 0:
        present = [1] * len(rows)
    elif presence == 1:
        present = carried(rows)
    else:
        assert presence == 2
        present = symbols(coded_presence, 2, [[carriers[row].bit_length()] for row in rows])
    n_others, place = number(coded_others, 0)
    others, at = set(), -1
    for gap in integers(coded_others[place:], False, none(n_others)) if n_others else []:
        at += gap
        others.add(at)
    assert sum(present) + n_others == n_records
    told = [reference_sites[row] for row, here in zip(rows, present) if here]
    ids = corrections(names, [columns[2] for columns in told], none(len(told)))
    shared = iter([[*columns[:2], name, *columns[3:]] for columns, name in zip(told, ids)])
    rest_of = iter(zip(*sites(own, n_others)) if n_others else [])
    return presence, [list(next(rest_of)) if i in others else next(shared) for i in range(n_records)]


@pytest.mark.parametrize(("chosen", "presence"), [(range(40), 0), (range(3, 40, 2), 2)], ids=["all", "told"])
def test_beside_spec__header_and_sites(chosen, presence, tmp_path):
    rng = np.random.default_rng(2)
    panel = rng.integers(0, 2, (40, 20))
    reference_text = HEADER + NAMES + b"".join(b"\tR%d" % i for i in range(10)) + b"\n" + records(SITES, panel)
    (tmp_path / "panel.vcf").write_bytes(reference_text)
    compress(tmp_path / "panel.vcf", tmp_path / "panel.hlm", codec="statistical")
    chosen = list(chosen)
    # Not the reference's: a site between its own, and another ID of one that is.
    own_sites = sorted([*(SITES[i] for i in chosen), (1003, "rs7", "G", "T")])
    alleles = rng.integers(0, 2, (len(own_sites), 2))
    header = HEADER.replace(b"##source=panel\n", b"##source=new\r\n") + NAMES + b"\tN0\n"
    text = header + records(own_sites, alleles, {SITES[chosen[1]][0]: "other"})
    (tmp_path / "new.vcf").write_bytes(text)
    compress(tmp_path / "new.vcf", tmp_path / "new.hlm", reference=tmp_path / "panel.hlm")
    container = open_archive(tmp_path / "new.hlm", tmp_path / "panel.hlm")._container
    about = json.loads(container.manifest.model_dump_json())["reference"]
    archive = (tmp_path / "panel.hlm").read_bytes()
    assert (about["sha256"], about["n_bytes"]) == (hashlib.sha256(archive).hexdigest(), len(archive))
    assert about["n_samples"] == 10
    keys = "".join(f"22:{position}:{ref}:{alt}\n" for position, _, ref, alt in SITES)
    assert about["site_fingerprint"] == hashlib.sha256(keys.encode()).hexdigest()
    reference_header = reference_text[: reference_text.index(b"22\t1000")]
    assert header_of(container.stored("header"), reference_header) == header
    columns = [[b"22", b"%d" % p, name.encode(), ref.encode(), alt.encode()] for p, name, ref, alt in SITES]
    found = sites_of(container.stored("0/sites"), len(own_sites), columns, [0], None, panel.sum(axis=1).tolist())
    assert found == (presence, [line.split(b"\t")[:5] for line in text[len(header) :].splitlines()])


def test_beside_spec__carried_sites_of_a_frozen_archive():
    def columns_of(name):
        return [line.split(b"\t")[:5] for line in (VECTORS / name).read_bytes().splitlines() if line[:1] != b"#"]

    wanted, panel = columns_of("own.vcf"), columns_of("phased.vcf")
    keys = [(position, ref, alt) for _, position, _, ref, alt in wanted]
    reference = open_archive(VECTORS / "phased-default.hlm")
    container = open_archive(VECTORS / "own-default.hlm", VECTORS / "phased-default.hlm")._container
    starts = [0, *accumulate(block.n_records for block in reference.manifest.blocks)]
    found = sites_of(
        container.stored("0/sites"), container.manifest.blocks[0].n_records, panel, starts,
        lambda rows: [int((panel[row][1], *panel[row][3:]) in keys) for row in rows], None,
    )  # fmt: skip
    assert found == (1, wanted[: len(found[1])])


def test_beside_spec__alleles_as_bits():
    rng = np.random.default_rng(3)
    alleles = rng.integers(0, 2, (5, 3), dtype=np.uint8)
    data = bytes([0]) + bytes(int("".join(map(str, alleles.ravel().tolist())).ljust(16, "0"), 2).to_bytes(2, "big"))
    assert_array_equal(decode_beside(data, np.zeros((5, 4), np.uint8), 3), alleles)
    assert len(encode_beside(alleles, np.zeros((5, 4), np.uint8), "fast")) <= len(data)
