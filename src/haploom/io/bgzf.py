"""BGZF, the gzip in blocks that tabix can index. Source: SAM specification, section 4.1."""

import struct
import zlib
from collections.abc import Iterable, Iterator

# The empty block every BGZF file ends with.
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
# Text in a block: htslib's, so that even incompressible text stays below the 64 KiB a block may have.
_BLOCK_BYTES = 0xFF00
_HEADER = struct.Struct("<4BI2BH2BHH")
_FOOTER = struct.Struct("<II")


def bgzf_blocks(text: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, with the end block, of text that comes in pieces; they depend on the text, not on the pieces."""
    held = b""
    for piece in text:
        held += piece
        whole = len(held) - len(held) % _BLOCK_BYTES
        for start in range(0, whole, _BLOCK_BYTES):
            yield _block(held[start : start + _BLOCK_BYTES])
        held = held[whole:]
    if held:
        yield _block(held)
    yield BGZF_END


def _block(text: bytes) -> bytes:
    deflate = zlib.compressobj(level=6, method=zlib.DEFLATED, wbits=-zlib.MAX_WBITS)
    body = deflate.compress(text) + deflate.flush()
    size = _HEADER.size + len(body) + _FOOTER.size
    header = _HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 0xFF, 6, ord("B"), ord("C"), 2, size - 1)
    return header + body + _FOOTER.pack(zlib.crc32(text), len(text))
