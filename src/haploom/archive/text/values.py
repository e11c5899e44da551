"""The values of fields as bytes: by the coder of `value_kernels`, or by general means where that is smaller.

The stream: one byte, 0 for packed bytes, 1 for three joined parts: the new texts, packed; how many bytes the fields
have, as a number; the stream of the coder.
"""

import numpy as np

from haploom.archive.text import value_kernels as kernels
from haploom.archive.text.value_spelling import FIELD_BYTES, LF, find_texts
from haploom.entropy_coding.byte_packing import (
    join_parts,
    number_from_bytes,
    number_to_bytes,
    pack_bytes,
    split_parts,
    unpack_bytes,
)
from haploom.entropy_coding.range_coder import finish, is_full, new_decoder, new_encoder

_PACKED, _MODELLED = 0, 1
_MOST_TEXTS = 1 << 16  # that later fields can refer to; a power of two
_SMALL_BYTES = 1 << 12  # fields of so few bytes are packed too, to see which is smaller
_FIRST_ROOM_BYTES = 1 << 16


def encode_values(fields: np.ndarray, walk: kernels.CellWalk) -> bytes:
    """fields: uint8, the fields of the cells of `walk`, each with a line feed after it."""
    modelled = bytes([_MODELLED]) + _encode_modelled(fields, walk)
    if fields.size > _SMALL_BYTES:
        return modelled
    return min(bytes([_PACKED]) + pack_bytes(fields.tobytes()), modelled, key=len)


def decode_values(data: bytes, walk: kernels.CellWalk, max_bytes: int) -> np.ndarray:
    """The inverse: uint8. Raises ValueError for damage that shows, before it takes memory for more than `max_bytes`."""
    if data[:1] == bytes([_PACKED]):
        return np.frombuffer(unpack_bytes(data[1:], max_bytes), dtype=np.uint8)
    if data[:1] != bytes([_MODELLED]):
        raise ValueError(f"values coded in an unknown way {data[:1].hex()}")
    packed_texts, stored_size, stream = split_parts(data[1:], 3)
    texts = np.frombuffer(unpack_bytes(packed_texts, max_bytes), dtype=np.uint8)
    n_bytes, _ = number_from_bytes(stored_size, 0)
    if n_bytes > max_bytes:
        raise ValueError(f"fields of {n_bytes} bytes where at most {max_bytes} can be")
    text_starts = np.concatenate([[0], np.flatnonzero(texts == LF) + 1]).astype(np.int64)
    longest = int(np.diff(text_starts).max(initial=0))
    # Room for one more field, whatever it is, past what should be there.
    out = np.empty(n_bytes + max(FIELD_BYTES, longest), dtype=np.uint8)
    stored = np.frombuffer(stream, dtype=np.uint8)
    used = _run(new_decoder(stored), stored.copy(), walk, out, n_bytes, text_starts, texts)
    if used != n_bytes:
        raise ValueError(f"the fields do not take {n_bytes} bytes")
    return out[:n_bytes]


def _encode_modelled(fields: np.ndarray, walk: kernels.CellWalk) -> bytes:
    indices = np.empty(np.count_nonzero(fields == LF), dtype=np.int64)
    texts = np.empty(fields.size, dtype=np.uint8)
    most_texts = min(1 << len(indices).bit_length(), _MOST_TEXTS)
    slots, starts = np.full(2 * most_texts, -1, dtype=np.int64), np.zeros(most_texts + 1, dtype=np.int64)
    n_text_bytes = find_texts(fields, indices, texts, slots, starts)
    room = np.zeros(fields.size + _FIRST_ROOM_BYTES, dtype=np.uint8)
    while True:
        coder = new_encoder()
        _run(coder, room, walk, fields, fields.size, starts, indices)
        if not is_full(coder):
            break
        room = np.zeros(4 * room.size, dtype=np.uint8)
    return join_parts([pack_bytes(texts[:n_text_bytes].tobytes()), number_to_bytes(fields.size), finish(coder, room)])


def _run(
    coder: np.ndarray,
    data: np.ndarray,
    walk: kernels.CellWalk,
    fields: np.ndarray,
    n_bytes: int,
    text_starts: np.ndarray,
    dictionary: np.ndarray,
) -> int:
    """The coder from its start, in either direction; returns the bytes of fields passed."""
    n_keys = max(int(walk.keys.max(initial=0)) + 1, kernels.N_OWN_KEYS)
    learned = kernels.new_learned(n_keys, walk.lacking.shape[1], n_bytes)
    mixer, form_mixer = kernels.new_mixers(n_bytes)
    return kernels.code_fields(coder, data, mixer, form_mixer, learned, walk, fields, n_bytes, text_starts, dictionary)
