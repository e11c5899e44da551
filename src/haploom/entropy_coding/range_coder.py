"""Binary range coder: bits in and out under 16-bit probabilities, in integers only.

One function, `code_bit`, both encodes and decodes, so that a model is written once and its two directions
cannot drift apart.

The stream. A coder holds an interval [low, high] of 32-bit numbers, at first all of them. To code a bit
whose probability of being 1 is p / 2**16 (1 <= p <= 65535), the interval is cut after

    middle = low + ((high - low) * p >> 16)

and a 1 keeps [low, middle], a 0 keeps [middle + 1, high]. While low and high have the same top byte, that
byte is written and both are shifted left by 8 bits, low filled with 0x00 and high with 0xFF. At the end the
shortest byte string is written that, followed by zero bytes without end, lies inside the interval. A decoder
reads zeros past the end of its data, so no bytes can make it fail: damaged bytes decode to other bits.

Source: the carry-less binary coder in the manner of Schindler's range coder (1998) and Mahoney's PAQ (2002).
"""

import numpy as np

from haploom.kernels import int64, kernel

_LOW, _HIGH, _CODE, _POSITION, _DECODING, _FULL = range(6)
_TOP = 0xFF000000
_MASK = 0xFFFFFFFF


def new_encoder() -> np.ndarray:
    """State of an encoder that has written nothing: int64 (6,)."""
    state = np.zeros(6, dtype=np.int64)
    state[_HIGH] = _MASK
    return state


def new_decoder(data: np.ndarray) -> np.ndarray:
    """State of a decoder at the start of `data`, uint8 (n_bytes,): int64 (6,)."""
    state = new_encoder()
    state[_DECODING] = 1
    first = data[:4].tobytes().ljust(4, b"\0")
    state[_CODE] = int.from_bytes(first, "big")
    state[_POSITION] = 4
    return state


@kernel
def blank_encoder() -> tuple[np.ndarray, np.ndarray]:
    """State and data of an encoder that keeps nothing: for models that learn bits which are not coded."""
    state = np.zeros(6, dtype=np.int64)
    state[_HIGH] = _MASK
    return state, np.empty(0, dtype=np.uint8)


@kernel
def code_bit(state: np.ndarray, data: np.ndarray, p: int, bit: int) -> int:
    """Code one bit; returns it.

    state: from `new_encoder` or `new_decoder`. data: uint8, written by an encoder, read by a decoder.
    p: probability of a 1 in 1/65536, from 1 to 65535. bit: 0 or 1; a decoder ignores it.
    An encoder that finds `data` full drops the bytes and remembers it (see `is_full`).
    """
    low, high = state[_LOW], state[_HIGH]
    middle = low + ((high - low) * p >> 16)
    if state[_DECODING]:
        bit = 1 if state[_CODE] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) & _TOP == 0:
        position = state[_POSITION]
        if state[_DECODING]:
            following = int64(data[position]) if position < data.size else 0
            state[_CODE] = (state[_CODE] << 8 & _MASK) | following
        elif position < data.size:
            data[position] = high >> 24
        else:
            state[_FULL] = 1
        state[_POSITION] = position + 1
        low = low << 8 & _MASK
        high = (high << 8 & _MASK) | 0xFF
    state[_LOW], state[_HIGH] = low, high
    return bit


@kernel
def is_decoding(state: np.ndarray) -> bool:
    """Whether `code_bit` reads bits instead of writing them."""
    return state[_DECODING] != 0


def is_full(state: np.ndarray) -> bool:
    """Whether an encoder ran out of room: what it wrote is then of no use."""
    return bool(state[_FULL])


def finish(state: np.ndarray, data: np.ndarray) -> bytes:
    """The bytes an encoder has written to `data`, with the shortest end that decodes right."""
    low, high = int(state[_LOW]), int(state[_HIGH])
    for n_bytes in range(5):
        unit = 1 << (32 - 8 * n_bytes)
        end = -(-low // unit) * unit
        if end <= high:
            break
    written = data[: state[_POSITION]].tobytes() + end.to_bytes(5, "big")[1 : 1 + n_bytes]
    return written.rstrip(b"\0")
