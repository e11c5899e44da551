"""Several files to a folder of archives: what a user may get wrong."""

from pathlib import Path

import pytest

from haploom.compression import compress_files
from haploom.errors import HaploomError
from haploom.io import Selection
from haploom.io.output import make_folder
from haploom.parallel import Workers


def test_compress_files__stdin_among_them_is_refused_before_the_folder_is_made(tmp_path):
    (tmp_path / "one.vcf").write_text("##fileformat=VCFv4.2\n")
    sources = [tmp_path / "one.vcf", Path("-")]
    with pytest.raises(HaploomError, match="stored alone"):
        compress_files(sources, tmp_path / "archives", selection=Selection(), workers=Workers())
    assert not (tmp_path / "archives").exists()


def test_make_folder__a_file_in_its_place_or_above_it_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HaploomError, match="is a file: name a folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(HaploomError, match="cannot make the folder"):
        make_folder(tmp_path / "file" / "below")
    make_folder(tmp_path / "new" / "below")
    assert (tmp_path / "new" / "below").is_dir()
