"""Text of lines, byte by byte: the bytes before it, the column, and the line above are its contexts."""

import numpy as np

from haploom.entropy_coding.contexts import Mixer, code_in_contexts, hashed, new_mixer
from haploom.entropy_coding.range_coder import finish, new_decoder, new_encoder
from haploom.kernels import int64, kernel

_NEWLINE = 10
_N_INPUTS = 7
_N_SETS = 256


@kernel
def _code_text(coder: np.ndarray, data: np.ndarray, mixer: Mixer, text: np.ndarray) -> None:
    """Code `text` in place, 8 bits a byte from the highest."""
    hashes = mixer.hashes
    recent = int64(0)  # the last 8 bytes
    line, above = int64(0), int64(-1)  # where this line and the one above it begin
    word = int64(0)  # hash of the letters or digits since the last mark
    for i in range(text.size):
        over = int64(0)  # the byte above
        if above >= 0 and above + i - line < line:
            over = int64(text[above + i - line])
        hashes[0] = 0
        hashes[1] = hashed(1, recent & 0xFF)
        hashes[2] = hashed(2, recent & 0xFFFF)
        hashes[3] = hashed(3, recent & 0xFFFFFF)
        hashes[4] = hashed(4, recent & 0xFFFFFFFFFF)
        hashes[5] = hashed(hashed(5, over), hashed(recent & 0xFF, min(i - line, 255)))
        hashes[6] = hashed(hashed(6, word), recent & 0xFF)
        byte = int64(text[i])
        node = int64(1)
        for depth in range(7, -1, -1):
            node = 2 * node + code_in_contexts(coder, data, mixer, node, node, byte >> depth & 1)
        byte = node - 256
        text[i] = byte
        recent = recent << 8 | byte
        if byte == _NEWLINE:
            above, line = line, i + 1
        is_letter = 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 128
        word = hashed(word, byte) if is_letter else int64(0)


def encode_text(text: bytes) -> bytes:
    """Any bytes; about 1 microsecond a byte, so for short texts."""
    room = np.zeros(32 * len(text) + 16, dtype=np.uint8)
    coder = new_encoder()
    _code_text(coder, room, new_mixer(_N_INPUTS, _N_SETS, 8 * len(text)), np.frombuffer(text, np.uint8).copy())
    return finish(coder, room)


def decode_text(data: bytes, n_bytes: int) -> bytes:
    """The inverse: `n_bytes` bytes. Damaged data gives other bytes."""
    text = np.zeros(n_bytes, dtype=np.uint8)
    stored = np.frombuffer(data, dtype=np.uint8)
    _code_text(new_decoder(stored), stored.copy(), new_mixer(_N_INPUTS, _N_SETS, 8 * n_bytes), text)
    return text.tobytes()
