"""The one way hot loops are compiled.

`@kernel` compiles with numba at first call, releases the GIL, and keeps the machine code on disk where
a folder can be written, so that the next process starts at once. Importing this module loads numba, so
modules that use it are themselves imported only when needed.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

# What kernels count with. To the type checker their integers are plain `int`s, so this one gives Any.
int64: Any = np.int64


def kernel(function: F) -> F:
    """Compile `function` to machine code; its result must not depend on the number of threads."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba found no folder it may write to
        warnings.warn("no writable cache folder: kernels are compiled anew in this process", stacklevel=2)
        return cast(F, numba.njit(nogil=True)(function))
