"""Decoders of vector-quantised autoencoders: from code indices to log-odds of alleles, in integers.

With one head a window can only be decoded to as many rows of log-odds as there are codes, so the decoder is a table of
those. With several, the vectors of the codes go through an integer network.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom.exact.network import AlleleDecoder, check_array
from haploom.exact.windows import WindowNetwork

TABLE_BITS = 4  # odd multiples of 1/16 nat: int8 reaches further than 16-bit probabilities do, and costs < 0.1 %


@dataclass(frozen=True, eq=False)
class CodeTable(AlleleDecoder):
    """One code a window, and what each decodes to.

    steps: int8 (n_windows, n_codes, width): s stands for log-odds of (2 s + 1) / 2^TABLE_BITS nat, which are never 0:
    what is likelier does not depend on rounding. n_outputs: sites; the last window may lack some.
    """

    steps: np.ndarray
    n_outputs: int
    output_bits = TABLE_BITS
    heads = 1

    def __post_init__(self) -> None:
        check_array("table", self.steps, np.int8, self.steps.shape if self.steps.ndim == 3 else ("3-D",))
        n_windows, n_codes, width = self.steps.shape
        if not n_codes or not (n_windows - 1) * width < self.n_outputs <= n_windows * width:
            raise ValueError(
                f"{self.n_outputs} sites are not {n_windows} windows of {width}, with {n_codes} codes each"
            )

    @property
    def n_windows(self) -> int:
        return self.steps.shape[0]

    @property
    def n_codes(self) -> int:
        return self.steps.shape[1]

    @property
    def width(self) -> int:
        """Sites of a window."""
        return self.steps.shape[2]

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return self.n_windows

    def logits(self, z: np.ndarray) -> np.ndarray:
        """Codes, integers (n_rows, n_windows) -> int16 (n_rows, n_outputs)."""
        check_codes(z, self.n_inputs, self.n_codes)
        steps = self.steps[np.arange(self.n_windows), z].reshape(len(z), -1)[:, : self.n_outputs].astype(np.int16)
        return 2 * steps + 1

    def to_tensors(self) -> dict[str, np.ndarray]:
        """The table as named arrays, for a file."""
        return {"table": self.steps, "n_sites": np.array([self.n_outputs], dtype=np.int64)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> "CodeTable":
        """The inverse of `to_tensors`. Raises ValueError when arrays are absent or do not fit."""
        try:
            return cls(tensors["table"], int(tensors["n_sites"][0]))
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"not a table of codes: {error}") from error


@dataclass(frozen=True, eq=False)
class CodeNetwork(AlleleDecoder):
    """Some codes a window: their vectors, one after another, are the inputs of an integer network.

    vectors: int16 (n_books, heads, n_codes, features of a head), n_books 1 or one for each window.
    """

    vectors: np.ndarray
    network: WindowNetwork

    def __post_init__(self) -> None:
        check_array("vectors", self.vectors, np.int16, self.vectors.shape if self.vectors.ndim == 4 else ("4-D",))
        n_books, heads, n_codes, width = self.vectors.shape
        if n_books not in (1, self.n_windows) or not n_codes or self.n_windows * heads * width != self.network.n_inputs:
            raise ValueError(f"vectors {self.vectors.shape} do not fit {self.network.n_inputs} inputs")

    @property
    def n_windows(self) -> int:
        return self.network.n_windows

    @property
    def heads(self) -> int:
        return self.vectors.shape[1]

    @property
    def n_codes(self) -> int:
        return self.vectors.shape[2]

    @property
    def width(self) -> int:
        """Sites of a window."""
        return self.network.layers[-1].weight.shape[2]

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return self.n_windows * self.heads

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.network.n_outputs

    @property
    def output_bits(self) -> int:  # type: ignore[override]
        return self.network.output_bits

    def logits(self, z: np.ndarray) -> np.ndarray:
        """Codes, integers (n_rows, n_windows * heads) -> integers in float64 (n_rows, n_outputs)."""
        check_codes(z, self.n_inputs, self.n_codes)
        n_books = len(self.vectors)
        books = np.arange(self.n_windows)[:, None] if n_books > 1 else np.zeros((1, 1), dtype=np.int64)
        vectors = self.vectors[books, np.arange(self.heads), z.reshape(len(z), self.n_windows, self.heads)]
        return self.network.logits(vectors.reshape(len(z), -1))

    def to_tensors(self) -> dict[str, np.ndarray]:
        """Vectors and network as named arrays, for a file."""
        return {"vectors": self.vectors, **self.network.to_tensors()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> "CodeNetwork":
        """The inverse of `to_tensors`. Raises ValueError when arrays are absent or do not fit."""
        if "vectors" not in tensors:
            raise ValueError("not a network of codes: there are no vectors")
        return cls(tensors["vectors"], WindowNetwork.from_tensors(tensors))


def check_codes(codes: np.ndarray, n_inputs: int, n_codes: int) -> None:
    """Raises ValueError for codes of another shape, or that do not exist."""
    if codes.ndim != 2 or codes.shape[1] != n_inputs or codes.dtype.kind not in "iu":
        raise ValueError(f"codes are {codes.dtype} {codes.shape}, wanted whole numbers (rows, {n_inputs})")
    if codes.size and not 0 <= codes.min() <= codes.max() < n_codes:
        raise ValueError(f"a code outside 0 to {n_codes - 1}")
