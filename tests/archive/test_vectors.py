"""Archives written when format 1 was fixed still decode; only tools/make_vectors.py writes such files."""

from pathlib import Path

import numpy as np
import pytest

from haploom.archive import open_archive
from haploom.archive.reader import KNOWN_CODECS
from haploom.io import read_panel

VECTORS = Path(__file__).parents[1] / "vectors" / "archive-1"
LINES = [line.split() for line in (VECTORS / "names.txt").read_text().splitlines()]
NAMES = [line[:2] for line in LINES]
REFERENCES = {line[0]: VECTORS / f"{line[4]}.hlm" for line in LINES if len(line) > 4}


@pytest.mark.parametrize(("name", "text"), NAMES, ids=[name for name, _ in NAMES])
def test_vectors__decode_to_their_text(name, text):
    archive = open_archive(VECTORS / f"{name}.hlm", REFERENCES.get(name))
    assert b"".join(archive.text()) == (VECTORS / text).read_bytes()
    assert archive.manifest.format == "haploom-archive/1"


def test_vectors__all_are_listed():
    assert sorted(f"{name}.hlm" for name, _ in NAMES) == sorted(path.name for path in VECTORS.glob("*.hlm"))


def test_vectors__every_codec_is_among_them():
    codecs = {codec for name, _ in NAMES for codec in open_archive(VECTORS / f"{name}.hlm").manifest.requires}
    needing_more = {"vqvae+blosc2/1", "vqvae+genozip/1"}  # than this package; tests/compression runs them
    assert codecs == KNOWN_CODECS - needing_more


@pytest.mark.parametrize("name", [name for name, text in NAMES if text == "phased.vcf"])
def test_vectors__give_their_panel_and_labels(name):
    archive, wanted = open_archive(VECTORS / f"{name}.hlm"), read_panel(VECTORS / "phased.vcf")
    held = archive.read(["22:1100-1800"], ["S7", "S0"])
    inside = (wanted.variants.position_bp >= 1100) & (wanted.variants.position_bp <= 1800)
    assert np.array_equal(held.bits, wanted.select_sites(inside).select_samples(["S7", "S0"]).bits)
    assert held.populations["population"].tolist() == ["NORTH", "NORTH"]
