"""General compressors of bytes, and bref3, that the tables set beside ours. Each gives back what it took, or fails."""

import gzip
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from haploom.errors import CheckFailedError
from haploom.io import write_panel
from haploom.panel import Panel

BEAGLE_JAR = Path("/usr/share/beagle/beagle.jar")  # of Debian's package `beagle`: its reader, which bref3 lacks


class Coder(NamedTuple):
    """A way to pack bytes and to unpack them."""

    name: str
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


class Measured(NamedTuple):
    """Size, and seconds to pack and unpack."""

    n_bytes: int
    encode_s: float
    decode_s: float


def coders() -> list[Coder]:
    """Those of this machine: ZPAQ is a program that may not be there."""
    long = zstandard.ZstdCompressionParameters.from_level(19, window_log=27, enable_ldm=True)
    found = [
        Coder("gzip", lambda data: gzip.compress(data, 6, mtime=0), gzip.decompress),
        Coder("zstd -3", zstandard.ZstdCompressor(level=3).compress, zstandard.ZstdDecompressor().decompress),
        Coder(
            "zstd -19 --long=27", zstandard.ZstdCompressor(compression_params=long).compress,
            zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress,
        ),
    ]  # fmt: skip
    if shutil.which("zpaq"):
        found.insert(1, Coder("zpaq -m3", _zpaq, _unzpaq))
    return found


def measure(coder: Coder, data: bytes) -> Measured:
    """Pack and unpack. Raises CheckFailedError when something else comes back."""
    start = time.perf_counter()
    packed = coder.pack(data)
    packed_at = time.perf_counter()
    back = coder.unpack(packed)
    done = time.perf_counter()
    if back != data:
        raise CheckFailedError(f"{coder.name} did not give back what it was given")
    return Measured(len(packed), packed_at - start, done - packed_at)


def _zpaq(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "in").write_bytes(data)
        subprocess.run(["zpaq", "a", "out.zpaq", "in", "-m3", "-t1"], cwd=name, check=True, capture_output=True)
        return (Path(name) / "out.zpaq").read_bytes()


def _unzpaq(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "out.zpaq").write_bytes(data)
        subprocess.run(["zpaq", "x", "out.zpaq", "in", "-to", "back", "-t1"], cwd=name, check=True, capture_output=True)
        return (Path(name) / "back").read_bytes()


def bref3(panel: Panel) -> Iterator[Measured]:
    """Sites and alleles, as bref3 stores a VCF; nothing where the programs are not there.

    It keeps other columns too, which are empty here. Whether the alleles come back is not compared: its own reader is
    only timed.
    """
    if not (shutil.which("bref3") and shutil.which("java") and BEAGLE_JAR.exists()):
        return
    with tempfile.TemporaryDirectory() as name:
        vcf, packed = Path(name) / "in.vcf", Path(name) / "out.bref3"
        write_panel(panel, vcf, no_version=True)
        start = time.perf_counter()
        with packed.open("wb") as file:
            subprocess.run(["bref3", vcf], stdout=file, stderr=subprocess.DEVNULL, check=True)
        packed_at = time.perf_counter()
        subprocess.run(
            ["java", "-cp", BEAGLE_JAR, "bref.UnBref3", packed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=True,
        )  # fmt: skip
        yield Measured(packed.stat().st_size, packed_at - start, time.perf_counter() - packed_at)
