"""Damaged archives give an error made for users, or what was stored: a short run of validation/archive_damage.py."""

import subprocess
import sys

import archive_damage
import numpy as np
import pytest

from haploom.archive import open_archive
from haploom.errors import CorruptArchiveError


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return archive_damage.make_archives(tmp_path_factory.mktemp("archives"))


def test_damage__is_told_or_harmless(archives, tmp_path):
    outcomes = archive_damage.run_cases(archives, 0, 200, tmp_path)
    assert {damage for damage, _ in outcomes} == {damage.__name__ for damage in archive_damage.DAMAGES}
    assert sum(n for (_, outcome), n in outcomes.items() if outcome == "error") > 300  # of 600 readings


def test_damage__every_flipped_byte_of_the_sections_and_the_manifest_is_told(archives, tmp_path):
    data = archives[0].read_bytes()
    places = np.random.default_rng(1).integers(8, len(data), 60)  # the minor version, before, may be any
    for place in places.tolist():
        flipped = bytearray(data)
        flipped[place] ^= 0x10
        (tmp_path / "a.hlm").write_bytes(flipped)
        with pytest.raises(CorruptArchiveError):
            open_archive(tmp_path / "a.hlm").verify()


def test_damage__a_selection_reads_no_damaged_section(archives, tmp_path):
    # Cells are decoded for the chosen records only, so the checksum of all of them decoded cannot be compared.
    odd = next(path for path in archives if path.name.startswith("odd"))
    data, section = bytearray(odd.read_bytes()), open_archive(odd).manifest.sections["0/cells"]
    for place in range(section.offset, section.offset + section.stored_bytes, 97):
        data[place] ^= 1
        (tmp_path / "a.hlm").write_bytes(data)
        with pytest.raises(CorruptArchiveError, match="section 0/cells"):
            b"".join(open_archive(tmp_path / "a.hlm").select_text(["22:1000-1100"]))
        data[place] ^= 1


def test_damage__takes_no_memory_for_sizes_that_lie():
    # In a process that may hold 2 GiB; 40 cases, of each kind of damage.
    run = [sys.executable, archive_damage.__file__, "--cases", "40", "--workers", "1", "--first", "1000"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
