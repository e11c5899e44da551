"""Bytes made small by general means, and several byte strings joined to one.

Packed bytes: one byte that says how (0 as they are, 1 zstd, 2 LZMA2 raw), their size before as a number, then the
data; whichever of the three is smallest is taken. LZMA2's window is that size, but at
least 4 KiB and at most 16 MiB. Numbers are unsigned LEB128: 7 bits a byte, low bits first, the
high bit set on every byte but the last. Joined parts: the length of each part but the last as a number, each
before its part.
"""

import lzma
from collections.abc import Sequence

import zstandard

_STORED, _ZSTD, _LZMA = range(3)
_ZSTD_LEVEL = 19
_LZMA_WINDOW_BYTES = (1 << 12, 1 << 24)  # smallest, largest
_MAX_NUMBER_BYTES = 9


def number_to_bytes(number: int) -> bytes:
    """LEB128 of a number from 0 on."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number_from_bytes(data: bytes, place: int) -> tuple[int, int]:
    """The number at `place` and the place after it. Raises ValueError when the data ends in it or it passes 63 bits."""
    number = 0
    for i in range(_MAX_NUMBER_BYTES):
        if place + i >= len(data):
            raise ValueError("the data ends inside a number")
        number |= (data[place + i] & 0x7F) << (7 * i)
        if data[place + i] < 0x80:
            return number, place + i + 1
    raise ValueError("a number of more than 63 bits")


def join_parts(parts: Sequence[bytes]) -> bytes:
    """All parts as one byte string; how many there are is not stored."""
    return b"".join([*(number_to_bytes(len(part)) + part for part in parts[:-1]), *parts[-1:]])


def split_parts(data: bytes, n_parts: int) -> list[bytes]:
    """The inverse. Raises ValueError when the data does not hold so many parts."""
    parts = []
    place = 0
    for _ in range(n_parts - 1):
        length, place = number_from_bytes(data, place)
        if length > len(data) - place:
            raise ValueError(f"a part of {length} bytes where {len(data) - place} are left")
        parts.append(data[place : place + length])
        place += length
    return [*parts, data[place:]]


def pack_bytes(data: bytes) -> bytes:
    """The smallest of the three forms; ties go to the simpler."""
    forms = [data]
    if len(data) > 1:
        forms.append(zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_content_size=True).compress(data))
        forms.append(lzma.compress(data, format=lzma.FORMAT_RAW, filters=_lzma_filters(len(data))))
    how = min(range(len(forms)), key=lambda form: len(forms[form]))
    return bytes([how]) + number_to_bytes(len(data)) + forms[how]


def unpack_bytes(data: bytes, max_bytes: int) -> bytes:
    """The inverse. Raises ValueError for damage and for more than `max_bytes`, before it takes memory for them."""
    size, place = number_from_bytes(data, 1)
    if size > max_bytes:
        raise ValueError(f"packed data of {size} bytes where at most {max_bytes} can be")
    form = data[place:]
    if data[0] == _STORED:
        unpacked = form
    elif data[0] == _ZSTD:
        unpacked = _unpack_zstd(form, size)
    elif data[0] == _LZMA:
        unpacked = _unpack_lzma(form, size)
    else:
        raise ValueError(f"packed data of an unknown form {data[0]}")
    if len(unpacked) != size:
        raise ValueError(f"packed data of {len(unpacked)} bytes that says it has {size}")
    return unpacked


def _unpack_zstd(form: bytes, size: int) -> bytes:
    try:
        if zstandard.frame_content_size(form) != size:
            raise ValueError(f"a zstd frame does not hold {size} bytes")
        return zstandard.ZstdDecompressor().decompress(form, max_output_size=max(size, 1))
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged zstd frame: {error}") from error


def _unpack_lzma(form: bytes, size: int) -> bytes:
    try:
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=_lzma_filters(size))
        return decoder.decompress(form, max_length=size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(f"damaged LZMA data: {error}") from error


def _lzma_filters(size: int) -> list[dict[str, int]]:
    """A window no larger than the data: memory for it is taken, and cleared, whatever the data."""
    smallest, largest = _LZMA_WINDOW_BYTES
    return [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": min(max(size, smallest), largest)}]
