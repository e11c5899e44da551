"""Integer networks: the only networks that touch lossless data.

A float network rounds differently with another batch size, thread count or processor. These hold integers
in float64, where every product and every partial sum stays below 2^53 and is therefore exact in any order
of summation, on any BLAS. NumPy only.
"""

from haploom.exact.codes import CodeNetwork, CodeTable
from haploom.exact.network import AlleleDecoder, IntegerLayer, IntegerNetwork
from haploom.exact.windows import WindowNetwork

__all__ = ["AlleleDecoder", "CodeNetwork", "CodeTable", "IntegerLayer", "IntegerNetwork", "WindowNetwork"]
