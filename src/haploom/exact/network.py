"""Dense networks in integer arithmetic: the same bits on every machine, batch size and thread count.

A layer computes  y = floor((W x + b) / 2^shift)  with integers throughout; between layers y is cut to
[0, ACTIVATION_MAX] (a ReLU with a ceiling). The last layer's output is not cut: fixed-point log-odds.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

EXACT_LIMIT = 2.0**53  # every integer up to here is a float64
ACTIVATION_MAX = 2**16 - 1
INPUT_MAX = 2**15 - 1  # inputs are int16
MAX_SHIFT = 62
VALUES_AT_ONCE = 1 << 23  # log-odds held at a time: 64 MiB


def check_array(name: str, array: np.ndarray, dtype: DTypeLike, shape: tuple[int | str, ...]) -> None:
    """Raises ValueError unless an array has this dtype and shape."""
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, wanted {np.dtype(dtype)} {shape}")


def quantised(z: np.ndarray, bits: int) -> np.ndarray:
    """Real numbers to the nearest multiple of 1 / 2^bits: int16, cut at its range."""
    return np.clip(np.rint(z * 2.0**bits), -INPUT_MAX, INPUT_MAX).astype(np.int16)


class AlleleDecoder:
    """What every integer decoder has in common: whole numbers in, log-odds of the alternate allele at each site out.

    n_inputs, n_outputs: of a row. output_bits: a log-odds integer y means y / 2^output_bits nats.
    """

    n_inputs: int
    n_outputs: int
    output_bits: int

    @abstractmethod
    def logits(self, z: np.ndarray) -> np.ndarray:
        """Fixed-point log-odds (n_rows, n_outputs): integers, maybe held in float64."""

    @abstractmethod
    def to_tensors(self) -> dict[str, np.ndarray]:
        """The decoder as named arrays, for a file."""

    def rows_at_once(self) -> int:
        """Rows whose log-odds can be held together."""
        return max(1, VALUES_AT_ONCE // max(1, self.n_outputs))

    def decide(self, z: np.ndarray) -> np.ndarray:
        """The likelier allele at each site, 1 where the log-odds are above 0: uint8 (n_rows, n_outputs)."""
        decided = np.empty((len(z), self.n_outputs), dtype=np.uint8)
        step = self.rows_at_once()
        for start in range(0, len(z), step):
            rows = slice(start, start + step)
            np.greater(self.logits(z[rows]), 0, out=decided[rows].view(bool))
        return decided


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """One dense layer.

    weight: int16 (n_out, n_in). bias: int64 (n_out,), at the scale of the products.
    shift: uint8 (n_out,), how many low bits of each output's sum are dropped (rounding down).
    """

    weight: np.ndarray
    bias: np.ndarray
    shift: np.ndarray

    def __post_init__(self) -> None:
        check_array("weight", self.weight, np.int16, self.weight.shape if self.weight.ndim == 2 else ("2-D",))
        check_array("bias", self.bias, np.int64, self.weight.shape[:1])
        check_array("shift", self.shift, np.uint8, self.weight.shape[:1])
        if self.shift.max(initial=0) > MAX_SHIFT:
            raise ValueError(f"shift {self.shift.max()} is above {MAX_SHIFT}")

    def bound(self, input_max: int) -> float:
        """No partial sum can be larger than this, for inputs of at most `input_max` in size."""
        weights = np.abs(self.weight.astype(np.float64)).sum(axis=1)
        return float((weights * input_max + np.abs(self.bias.astype(np.float64))).max(initial=0.0))

    @cached_property
    def _weight_t(self) -> np.ndarray:
        return np.ascontiguousarray(self.weight.T, dtype=np.float64)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Integers in float64 (n_rows, n_in) -> integers in float64 (n_rows, n_out), exact."""
        y = x @ self._weight_t
        y += self.bias
        y *= np.exp2(-self.shift.astype(np.float64))  # a power of two: exact
        return np.floor(y, out=y)


@dataclass(frozen=True, eq=False)
class IntegerNetwork(AlleleDecoder):
    """Layers one after another, from int16 inputs to fixed-point log-odds.

    input_bits: an input integer v means v / 2^input_bits. output_bits: likewise for the log-odds.

    Raises ValueError when sizes do not fit together or a sum could leave float64's exact range.
    """

    layers: tuple[IntegerLayer, ...]
    input_bits: int
    output_bits: int

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("an integer network needs a layer")
        for before, after in zip(self.layers, self.layers[1:]):
            if after.weight.shape[1] != before.weight.shape[0]:
                raise ValueError(
                    f"a layer of {before.weight.shape[0]} outputs meets one of {after.weight.shape[1]} inputs"
                )
        for place, layer in enumerate(self.layers):
            bound = layer.bound(ACTIVATION_MAX if place else INPUT_MAX + 1)
            if bound >= EXACT_LIMIT:
                raise ValueError(f"layer {place}: sums up to {bound:.3g} are not exact in float64")

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return self.layers[0].weight.shape[1]

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.layers[-1].weight.shape[0]

    @property
    def n_windows(self) -> int:
        """It sees all sites at once."""
        return 1

    def quantise_input(self, z: np.ndarray) -> np.ndarray:
        """Real inputs to the nearest integers the network takes: int16, cut at its range."""
        return quantised(z, self.input_bits)

    def logits(self, z: np.ndarray) -> np.ndarray:
        """Fixed-point log-odds: int16 (n_rows, n_inputs) -> integers in float64 (n_rows, n_outputs)."""
        if z.dtype != np.int16 or z.ndim != 2 or z.shape[1] != self.n_inputs:
            raise ValueError(f"inputs are {z.dtype} {z.shape}, wanted int16 (rows, {self.n_inputs})")
        x = z.astype(np.float64)
        for layer in self.layers[:-1]:
            x = layer.apply(x)
            np.clip(x, 0, ACTIVATION_MAX, out=x)
        return self.layers[-1].apply(x)

    def to_tensors(self) -> dict[str, np.ndarray]:
        """The network as named arrays, for a file."""
        tensors = {"bits": np.array([self.input_bits, self.output_bits], dtype=np.int64)}
        for place, layer in enumerate(self.layers):
            tensors |= {f"{place}.{name}": getattr(layer, name) for name in ("weight", "bias", "shift")}
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> "IntegerNetwork":
        """The inverse of `to_tensors`. Raises ValueError when arrays are absent or do not fit."""
        try:
            input_bits, output_bits = tensors["bits"].tolist()
            return cls(tuple(_layers(tensors)), input_bits, output_bits)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an integer network: {error}") from error


def _layers(tensors: Mapping[str, np.ndarray]) -> Iterator[IntegerLayer]:
    place = 0
    while f"{place}.weight" in tensors:
        yield IntegerLayer(*(tensors[f"{place}.{name}"] for name in ("weight", "bias", "shift")))
        place += 1
