"""What several test modules share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real genotypes beside the project (HAPLOOM_DATA overrides); skips the test without it."""
    folder = Path(os.environ.get("HAPLOOM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real genotypes in {folder}; set HAPLOOM_DATA to a folder that has them")
    return folder
