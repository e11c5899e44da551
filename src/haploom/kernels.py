"""The one way hot loops are compiled.

`@kernel` compiles with numba at first call, releases the GIL, and keeps the machine code on disk, so that the next
process starts at once. Importing this module loads numba, so modules that use it are themselves imported only when
needed.

Every kernel is compiled once per installation, so what numba is slow to compile is left out of them: rows assigned or
compared whole (`a[i] = b`) cost seconds, a loop costs nothing.

Machine code is one file a kernel and signature, in the first of these folders that can be written to: the package's
`__pycache__`, `$XDG_CACHE_HOME/haploom` (or `~/.cache/haploom`), a private folder in `$TMPDIR` (or `/tmp`); it is
read from all of them. numba's own cache is not used: it keeps an index and data in different files, so that
processes that start at the same moment can swap the code of two signatures; it does not notice that a kernel
called by a kernel has changed; a damaged file or a full disk ends the program.
"""

import hashlib
import logging
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from stat import S_ISDIR
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar, cast
from uuid import uuid4

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.core.types import unliteral

F = TypeVar("F", bound=Callable[..., Any])

# What kernels count with. To the type checker their integers are plain `int`s, so this one gives Any.
int64: Any = np.int64

logger = logging.getLogger(__name__)

# A process forked while another thread compiles would wait for that thread, which it does not have, for ever.
os.register_at_fork(
    before=global_compiler_lock.acquire,
    after_in_parent=global_compiler_lock.release,
    after_in_child=global_compiler_lock.release,
)


def kernel(function: F) -> F:
    """Compile `function` to machine code; its result must not depend on the number of threads."""
    dispatcher: Any = numba.njit(nogil=True)(function)
    if hasattr(dispatcher, "py_func"):  # with NUMBA_DISABLE_JIT=1 it is the function itself
        dispatcher._cache = _StoredCode(dispatcher)
        compile_for = dispatcher.compile
        # numba would compile a kernel called by a kernel once for each constant it is called with.
        dispatcher.compile = lambda types: compile_for(tuple(map(unliteral, types)))
    return cast(F, dispatcher)


class _StoredCode(NullCache):
    """The machine code of one kernel on disk; numba asks it before it compiles and tells it after.

    A file holds the SHA-256 of its key and payload, then the payload. So one made of other sources, or damaged, is
    passed over and replaced. numba holds its compiler lock around both methods.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        name, key = self._file_name(sig), self._key(sig)
        for folder in filter(_is_ours, _folders()):
            with suppress(OSError):
                stored = (folder / name).read_bytes()
                digest, payload = stored[:32], stored[32:]
                if hashlib.sha256(key + payload).digest() == digest:
                    # Whatever is wrong with code made by the same versions (a class has moved), compiling mends.
                    with suppress(Exception):
                        return CompileResult._rebuild(target_context, *pickle.loads(payload))
        _say_once(logging.INFO, "compiling kernels, once per installation: up to half a minute")
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        folder = writable_folder()
        if folder is None or data.library.has_dynamic_globals:  # addresses of this process are of no use in another
            return
        payload = dumps(data._reduce())
        path = folder / self._file_name(sig)
        unfinished = path.with_suffix(f".{uuid4().hex}")
        try:
            with unfinished.open("xb") as file:
                file.write(hashlib.sha256(self._key(sig) + payload).digest() + payload)
            unfinished.replace(path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            _say_once(logging.WARNING, f"machine code of kernels was not kept in {folder}: {error.strerror}")

    def _file_name(self, sig: Any) -> str:
        function = self._dispatcher.py_func
        place = f"{function.__module__.removeprefix('haploom.')}.{function.__qualname__}".replace("<locals>.", "")
        return f"{place}-{hashlib.sha256(self._signature(sig)).hexdigest()[:16]}.kernel"

    def _key(self, sig: Any) -> bytes:
        return self._signature(sig) + fingerprint(self._dispatcher.py_func)

    def _signature(self, sig: Any) -> bytes:
        """What one kernel has different code for: types of the arguments, processor, versions, checks of bounds."""
        machine = self._dispatcher.targetctx.codegen().magic_tuple()
        versions = (numba.__version__, llvmlite.__version__, np.__version__, sys.implementation.cache_tag)
        return repr((sig, machine, versions, vars(config)["BOUNDSCHECK"])).encode()


def fingerprint(function: FunctionType) -> bytes:
    """SHA-256 of all that machine code of `function` is made of: its code, its constants, and those of what it calls.

    Raises TypeError where a kernel uses something whose content cannot be told.
    """
    found = {function}
    waiting = [function]
    while waiting:
        new = set(_own_parts(waiting.pop())[1]) - found
        found |= new
        waiting.extend(new)
    return hashlib.sha256(b"".join(sorted(_own_parts(each)[0] for each in found))).digest()


@cache
def _own_parts(function: FunctionType) -> tuple[bytes, tuple[FunctionType, ...]]:
    """SHA-256 of a function's own code and constants, and the kernels it calls."""
    digest = hashlib.sha256(repr((function.__defaults__, *_code_parts(function.__code__))).encode())
    if function.__closure__:
        raise TypeError(f"kernel {function.__qualname__} uses variables of the function around it")
    called = []
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        match function.__globals__[name]:
            case Dispatcher(py_func=py_func):
                called.append(py_func)
            case np.ndarray() as array:
                digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
            case ModuleType() | type() as thing:
                digest.update(f"{name} {thing.__name__} {getattr(thing, '_fields', '')}".encode())
            case int() | float() | str() | bytes() | np.generic() | tuple() as value:
                digest.update(f"{name} {value!r}".encode())
            case other:
                raise TypeError(f"kernel {function.__qualname__} uses {name}, a {type(other).__name__}")
    return digest.digest(), tuple(called)


def _code_parts(code: CodeType) -> Iterator[Any]:
    yield code.co_code
    yield code.co_names
    for constant in code.co_consts:
        yield from _code_parts(constant) if isinstance(constant, CodeType) else [constant]


def _names(code: CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


def _folders() -> Iterator[Path]:
    """Where machine code may be, best first."""
    yield _PACKAGE_FOLDER
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(cache_home):  # the XDG specification asks to ignore others
        yield Path(cache_home) / "haploom" / _FOLDER_NAME
    yield Path(os.environ.get("TMPDIR") or "/tmp") / f"haploom-{os.geteuid()}" / _FOLDER_NAME


_PACKAGE_FOLDER = Path(__file__).parent / "__pycache__"
# Two installations would replace each other's files for ever.
_FOLDER_NAME = f"kernels-{hashlib.sha256(bytes(_PACKAGE_FOLDER)).hexdigest()[:8]}"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else could have put code there for us to run. Whoever can write to the package can anyway."""
    if folder == _PACKAGE_FOLDER:
        return True
    with suppress(OSError):
        return all(
            S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o022
            for about in (folder.lstat(), folder.parent.lstat())
        )
    return False


@cache
def writable_folder() -> Path | None:
    """The folder new machine code goes to; None, with a warning, where there is none."""
    for folder in _folders():
        with suppress(OSError):
            if folder != _PACKAGE_FOLDER:
                folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o755 if folder == _PACKAGE_FOLDER else 0o700, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            if _is_ours(folder):
                return folder
    _say_once(
        logging.WARNING,
        "no folder for machine code can be written to, so each command compiles its kernels anew: "
        "set XDG_CACHE_HOME to one that can",
    )
    return None


@cache
def _say_once(level: int, message: str) -> None:
    logger.log(level, message)
