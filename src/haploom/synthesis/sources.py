"""What synthetic haplotypes are drawn from: a model, or the haplotypes of real people.

Haplotypes are always drawn ROWS at a time, each time from a random stream of its own, named by the seed, the
population and the place in line. So the same seed gives the same people however many are made, beside whom, in what
order and by how many threads; those drawn beyond what was asked for are dropped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haploom.errors import HaploomError
from haploom.panel import Variants

ROWS = 512  # haplotypes drawn together

Block = tuple[int, int]  # the place of a population, and a place in its line
DrawBlocks = Callable[[Sequence[Block]], Iterator[np.ndarray]]  # what `Draw` gives for each block, in order
Draw = Callable[[np.random.Generator], np.ndarray]  # ROWS haplotypes, packed: uint8 (ROWS, row_bytes(n_sites))


@dataclass(frozen=True, eq=False)
class Source:
    """Where haplotypes come from.

    variants: their sites. level: what their labels are labels of. populations: what people can be made of.
    draw_of: how those of a population, named by its place, are drawn. described: what made them, for a header line:
    names with values, of text or numbers.
    """

    variants: Variants
    level: str
    populations: tuple[str, ...]
    draw_of: Callable[[int], Draw]
    described: Mapping[str, object]

    def check_populations(self, wanted: Sequence[str]) -> None:
        """Raises HaploomError for a population that the source does not know."""
        if unknown := sorted(set(wanted) - set(self.populations)):
            raise HaploomError(
                f"the {'model' if 'Model' in self.described else 'panel'} knows no population {unknown[0]!r}: it has "
                f"{', '.join(self.populations)}"
            )

    def header_line(self, seed: int) -> str:
        """A VCF header line that says the people are not real, and what made them."""
        pairs = {"Source": "haploom", **self.described, "Seed": seed}
        shown = (f'{key}="{value}"' if isinstance(value, str) else f"{key}={value}" for key, value in pairs.items())
        return f"##synthetic=<{','.join(shown)}>"


def stream_of(seed: int, block: Block) -> np.random.Generator:
    """The random stream of a block: nothing else is drawn from it."""
    return np.random.default_rng([seed, *block])
