"""A room imports only rooms above it; rooms on one line do not import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import haploom

HOUSE = [
    {"errors", "provenance", "progress", "kernels"},
    {"panel"},
    {"parallel"},
    {"io", "popgen", "entropy_coding", "exact"},
    {"archive"},
    {"baselines"},
    {"models"},
    {"training"},
    {"compression", "ancestry", "embedding", "synthesis", "imputation", "audit"},
    {"report", "bench"},
    {"cli"},
]
RANK = {room: rank for rank, rooms in enumerate(HOUSE) for room in rooms}
SOURCE = Path(haploom.__file__).parent


def package_imports() -> Iterator[tuple[Path, str, str]]:
    """(file, its room, room it imports) for every import of haploom in the package, wherever it stands."""
    for path in sorted(SOURCE.rglob("*.py")):
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue  # the public API gathers from every room, and `python -m haploom` starts the last
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: imports are absolute"
                module = node.module or ""
                names = [f"{module}.{alias.name}" for alias in node.names] if module == "haploom" else [module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                if parts[0] == "haploom" and len(parts) > 1:
                    yield path, own, parts[1]


def test_layers__every_room_is_in_the_plan():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rooms |= {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    assert rooms <= RANK.keys()


def test_layers__imports_point_one_way():
    seen = 0
    for path, own, used in package_imports():
        if used.startswith("__"):
            continue
        assert used == own or RANK[used] < RANK[own], f"{path}: {own} must not import {used}"
        seen += 1
    assert seen > 20, "the walk over the package found almost no imports: it does not look at the right place"


def test_layers__torch_stays_below_the_models():
    for path in sorted(SOURCE.rglob("*.py")):
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if RANK.get(own, len(HOUSE)) >= RANK["models"] and own != "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
            )
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not any(n.split(".")[0] in ("torch", "lightning_fabric") for n in names), path
