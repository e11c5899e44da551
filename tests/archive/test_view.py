"""`haploom view -r -s` gives what `bcftools view -I --no-version` gives of the same selection, byte for byte."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_torture import block_limits
from well_formed_vcfs import HEADER, PEOPLE, records

from haploom.archive import open_archive
from haploom.compression import compress
from haploom.io import Selection

pytestmark = pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not on PATH")

_spans = st.tuples(st.integers(1, 110), st.integers(0, 30)).map(lambda span: f"{span[0]}-{sum(span)}")
_regions = st.lists(
    st.tuples(st.sampled_from(["22", "chrX"]), _spans | st.sampled_from(["", "20", "30-"])).map(
        lambda part: ":".join(filter(None, part))
    ),
    max_size=3,
)


def bcftools(*arguments):
    return subprocess.run(
        ["bcftools", "view", "--no-version", *map(str, arguments)], capture_output=True, check=True
    ).stdout


@settings(max_examples=120)
@given(
    st.lists(records(), max_size=25), _regions, st.permutations(PEOPLE), st.integers(1, 4), st.booleans(),
    st.integers(1, 9),
)  # fmt: skip
def test_view__equals_bcftools(lines, regions, order, n_people, exclude, block_records):
    # Records in any order, and repeated: bcftools reads them one after the other (-t) with the overlap rule of -r.
    people = tuple(order[: min(n_people, 3) if exclude else n_people])
    with TemporaryDirectory() as folder, block_limits(block_records):
        raw, source, stored = (Path(folder) / name for name in ("raw.vcf", "a.vcf", "a.hlm"))
        raw.write_text(HEADER + "".join(lines))
        source.write_bytes(bcftools(raw))
        compress(source, stored, verify=False)
        where = ["-t", ",".join(regions), "--targets-overlap", 1] if regions else []
        wanted = bcftools("-I", *where, "-s", "^" * exclude + ",".join(people), source)
        archive = open_archive(stored)
        chosen = Selection(samples=people, exclude_samples=exclude).people(archive.samples)
        assert b"".join(archive.select_text(regions, chosen)) == wanted
        assert b"".join(archive.select_text(regions)) == bcftools("-I", *where, source)


def random_selections(source, rng, n):
    """Regions from single bases to everything, several at once, and people in any order."""
    with gzip.open(source, "rt") as lines:
        people = next(line for line in lines if line.startswith("#CHROM")).split()[9:]
    positions = subprocess.run(["bcftools", "query", "-f", "%POS\n", source], capture_output=True, check=True).stdout
    positions = np.array(positions.split(), dtype=np.int64)
    for i in range(n):
        starts = rng.choice(positions, rng.integers(1, 5)) - rng.integers(0, 3)
        lengths = (10 ** rng.uniform(0, 4.5, len(starts))).astype(int)
        regions = [f"22:{start}-{start + length}" for start, length in zip(starts, lengths)]
        chosen = rng.permutation(people)[: rng.choice([1, 2, 50, len(people)])].tolist()
        exclude = i % 3 == 2 and len(chosen) < len(people)
        yield regions, chosen, exclude


@pytest.mark.parametrize("name", ["chr22-dense", "chr22-whole"])
def test_view__equals_bcftools_on_real_data(real_data, tmp_path, name):
    source = real_data / f"{name}.vcf.gz"
    text = tmp_path / "a.vcf.gz"  # as bcftools writes it
    subprocess.run(["bcftools", "view", "--no-version", "-Oz1", source, "-o", text], check=True)
    subprocess.run(["bcftools", "index", text], check=True)
    compress(text, tmp_path / "a.hlm", level="fast", verify=False)
    archive = open_archive(tmp_path / "a.hlm")
    for regions, chosen, exclude in random_selections(source, np.random.default_rng(4), 4):
        names = tmp_path / "names"
        names.write_text("\n".join(chosen) + "\n")
        wanted = bcftools("-I", "-r", ",".join(regions), "-S", "^" * exclude + str(names), text)
        people = Selection(samples=tuple(chosen), exclude_samples=exclude).people(archive.samples)
        assert b"".join(archive.select_text(regions, people)) == wanted


def test_view__the_command_equals_bcftools(real_data, tmp_path):
    source = real_data / "chr22-whole.vcf.gz"
    compress(source, tmp_path / "a.hlm", level="fast", verify=False)
    for selection in (["-r", "22:20000000-21000000", "-s", "HG00101,HG00096"], ["-r", "22:17000000-17200000"]):
        run = [Path(sys.executable).parent / "haploom", "view", tmp_path / "a.hlm", "--no-version", *selection]
        shown = subprocess.run(run, capture_output=True, check=True).stdout
        assert records_of(shown) == records_of(bcftools("-I", *selection, source))


def records_of(text):
    return [line for line in text.splitlines() if not line.startswith(b"#")]
