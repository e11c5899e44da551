"""zstd frames that are checked against the size they should have."""

import zstandard

ZSTD_ID = "zstd/1"  # a section that is one zstd frame
LEVEL = 19


def zstd_compress(data: bytes) -> bytes:
    """One frame, with the size of its content in it."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(data)


def zstd_decompress(data: bytes, n_bytes: int) -> bytes:
    """Raises ValueError unless the data is one frame of exactly `n_bytes`; takes no more memory than that."""
    try:
        if zstandard.frame_content_size(data) != n_bytes:
            raise ValueError(f"a zstd frame does not hold {n_bytes} bytes")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=max(n_bytes, 1))
    except (zstandard.ZstdError, MemoryError) as error:
        raise ValueError(f"damaged zstd frame: {error}") from error
