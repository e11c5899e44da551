"""Integer networks of a window each: the decoder, or the encoder, of a windowed autoencoder.

A network for every window of sites, of the same shape but with weights of its own, in the arithmetic of
`exact.network`: y = floor((x W + b) / 2^shift), cut to [0, ACTIVATION_MAX] between layers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from haploom.exact.network import (
    ACTIVATION_MAX,
    EXACT_LIMIT,
    INPUT_MAX,
    MAX_SHIFT,
    AlleleDecoder,
    check_array,
    quantised,
)


@dataclass(frozen=True, eq=False)
class WindowIntegerLayer:
    """One dense layer of every window.

    weight: int16 (n_windows, n_in, n_out). bias: int64 (n_windows, n_out), at the scale of the products.
    shift: uint8 (n_windows, n_out), how many low bits of each output's sum are dropped (rounding down).
    """

    weight: np.ndarray
    bias: np.ndarray
    shift: np.ndarray

    def __post_init__(self) -> None:
        check_array("weight", self.weight, np.int16, self.weight.shape if self.weight.ndim == 3 else ("3-D",))
        outputs = (self.weight.shape[0], self.weight.shape[2])
        check_array("bias", self.bias, np.int64, outputs)
        check_array("shift", self.shift, np.uint8, outputs)
        if self.shift.max(initial=0) > MAX_SHIFT:
            raise ValueError(f"shift {self.shift.max()} is above {MAX_SHIFT}")

    def bound(self, input_max: int) -> float:
        """No partial sum can be larger than this, for inputs of at most `input_max` in size."""
        # A window at a time: as float64 all of them could be gigabytes.
        return max(
            float((np.abs(weight.astype(np.float64)).sum(axis=0) * input_max + np.abs(bias.astype(np.float64))).max())
            for weight, bias in zip(self.weight, self.bias)
        )

    def apply(self, window: int, x: np.ndarray) -> np.ndarray:
        """Integers in float64 (n_rows, n_in) -> integers in float64 (n_rows, n_out), exact."""
        y = x @ self.weight[window].astype(np.float64)
        y += self.bias[window]
        y *= np.exp2(-self.shift[window].astype(np.float64))  # a power of two: exact
        return np.floor(y, out=y)


@dataclass(frozen=True, eq=False)
class WindowNetwork(AlleleDecoder):
    """Layers one after another in each window, from int16 inputs to fixed-point numbers.

    Inputs and outputs of a row are those of the windows one after another. A row may have fewer of either than all
    windows together: what the last window lacks is put in as 0, and thrown away.

    n_inputs, n_outputs: of a row. input_bits: an input integer v means v / 2^input_bits. output_bits: likewise.
    couple: the first layer sees the inputs of the window before, its own, and those of the one after, zeros beyond the
    ends.

    Raises ValueError when sizes do not fit together or a sum could leave float64's exact range.
    """

    layers: tuple[WindowIntegerLayer, ...]
    input_bits: int
    output_bits: int
    n_inputs: int
    n_outputs: int
    couple: bool = False

    def __post_init__(self) -> None:
        shapes = [layer.weight.shape for layer in self.layers]
        if not shapes or not shapes[0][0]:
            raise ValueError("an integer network needs a layer and a window")
        for before, after in pairwise(shapes):
            if after[:2] != (before[0], before[2]):
                raise ValueError(f"a layer of {before} windows, inputs and outputs meets one of {after}")
        for what, n, width in (("inputs", self.n_inputs, self._width), ("outputs", self.n_outputs, shapes[-1][2])):
            if not (self.n_windows - 1) * width < n <= self.n_windows * width:
                raise ValueError(f"{n} {what} are not {self.n_windows} windows of {width}")
        if shapes[0][1] != self._width * (3 if self.couple else 1):
            raise ValueError(f"windows that see their neighbours have {shapes[0][1]} inputs")
        for place, layer in enumerate(self.layers):
            bound = layer.bound(ACTIVATION_MAX if place else INPUT_MAX + 1)
            if bound >= EXACT_LIMIT:
                raise ValueError(f"layer {place}: sums up to {bound:.3g} are not exact in float64")

    @property
    def n_windows(self) -> int:
        return self.layers[0].weight.shape[0]

    @property
    def _width(self) -> int:
        """Inputs of a window of its own."""
        return self.layers[0].weight.shape[1] // (3 if self.couple else 1)

    def quantise_input(self, z: np.ndarray) -> np.ndarray:
        """Real inputs to the nearest integers the network takes: int16, cut at its range."""
        return quantised(z, self.input_bits)

    def logits(self, z: np.ndarray) -> np.ndarray:
        """int16 (n_rows, n_inputs) -> fixed-point numbers, integers in float64 (n_rows, n_outputs)."""
        if z.dtype != np.int16 or z.ndim != 2 or z.shape[1] != self.n_inputs:
            raise ValueError(f"inputs are {z.dtype} {z.shape}, wanted int16 (rows, {self.n_inputs})")
        width_out = self.layers[-1].weight.shape[2]
        margin = self._width if self.couple else 0
        inputs = np.zeros((len(z), self.n_windows * self._width + 2 * margin))
        inputs[:, margin : margin + self.n_inputs] = z
        out = np.empty((len(z), self.n_windows * width_out))
        for window in range(self.n_windows):
            start = window * self._width
            x = inputs[:, start : start + self._width + 2 * margin]
            for place, layer in enumerate(self.layers):
                if place:
                    np.clip(x, 0, ACTIVATION_MAX, out=x)
                x = layer.apply(window, x)
            out[:, window * width_out : (window + 1) * width_out] = x
        return out[:, : self.n_outputs]

    def to_tensors(self) -> dict[str, np.ndarray]:
        """The network as named arrays, for a file."""
        numbers = [self.input_bits, self.output_bits, self.n_inputs, self.n_outputs, int(self.couple)]
        tensors = {"window_bits": np.array(numbers, dtype=np.int64)}
        for place, layer in enumerate(self.layers):
            tensors |= {f"{place}.{name}": getattr(layer, name) for name in ("weight", "bias", "shift")}
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> "WindowNetwork":
        """The inverse of `to_tensors`. Raises ValueError when arrays are absent or do not fit."""
        try:
            input_bits, output_bits, n_inputs, n_outputs, couple = tensors["window_bits"].tolist()
            n_layers = sum(name.endswith(".weight") for name in tensors)
            layers = tuple(_layers(tensors, n_layers))
            return cls(layers, input_bits, output_bits, n_inputs, n_outputs, bool(couple))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an integer network of windows: {error}") from error


def _layers(tensors: Mapping[str, np.ndarray], n_layers: int) -> Sequence[WindowIntegerLayer]:
    names = ("weight", "bias", "shift")
    return [WindowIntegerLayer(*(tensors[f"{place}.{name}"] for name in names)) for place in range(n_layers)]
