"""General codecs of bytes that the paper's codecs use, by name: zstd, blosc2 (an extra), genozip (a program)."""

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import zstandard

from haploom.errors import HaploomError, MissingExtraError

_ZSTD_LEVEL = 3  # (paper)


def check_byte_codec(name: str) -> None:
    """Raises HaploomError where the package or program of a codec is not here."""
    if name == "blosc2" and find_spec("blosc2") is None:
        raise MissingExtraError("blosc2", "blosc2", "codec vqvae+blosc2")
    if name == "genozip" and not (shutil.which("genozip") and shutil.which("genounzip")):
        raise HaploomError(
            "codec vqvae+genozip runs the programs genozip and genounzip, which are not on PATH: install Genozip, or "
            "use --codec vqvae"
        )


def pack_with(name: str, data: bytes) -> bytes:
    """Raises HaploomError where the codec is not here."""
    check_byte_codec(name)
    if name == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_content_size=True).compress(data)
    if name == "blosc2":
        import blosc2

        return bytes(blosc2.compress2(data, codec=blosc2.Codec.ZSTD, clevel=_ZSTD_LEVEL, typesize=1))
    return _through_files(data, "genozip", "--input", "generic", "--output")


def unpack_with(name: str, data: bytes, n_bytes: int) -> bytes:
    """The inverse. Raises ValueError unless it gives n_bytes, HaploomError where the codec is not here."""
    check_byte_codec(name)
    if name == "zstd":
        unpacked = _unpack_zstd(data, n_bytes)
    elif name == "blosc2":
        import blosc2

        try:
            unpacked = bytes(blosc2.decompress2(data))
        except RuntimeError as error:
            raise ValueError(f"damaged blosc2 data: {error}") from error
    else:
        unpacked = _through_files(data, "genounzip", "--output")
    if len(unpacked) != n_bytes:
        raise ValueError(f"{name} data of {len(unpacked)} bytes, wanted {n_bytes}")
    return unpacked


def _unpack_zstd(data: bytes, n_bytes: int) -> bytes:
    try:
        if zstandard.frame_content_size(data) != n_bytes:
            raise ValueError(f"a zstd frame does not hold {n_bytes} bytes")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=max(n_bytes, 1))
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged zstd frame: {error}") from error


def _through_files(data: bytes, program: str, *options: str) -> bytes:
    """What a program makes of a file: `program options TO FROM`. Raises ValueError when it fails."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in.genozip", Path(name) / "out.genozip"
        source.write_bytes(data)
        done = subprocess.run([program, *options, target, source], capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode or not target.exists():
            raise ValueError(f"{program} failed: {done.stderr.decode(errors='replace').strip()[-200:]}")
        return target.read_bytes()
