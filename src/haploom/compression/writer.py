"""From VCF text, or a panel, to a `.hlm` file."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from zlib import crc32

import numpy as np

from haploom import progress, provenance
from haploom.archive import Archive, reader
from haploom.archive.blocks import EncodedSection, encode_block, encode_block_beside
from haploom.archive.byte_codecs import check_byte_codec
from haploom.archive.container import Block, ContainerWriter, Manifest
from haploom.archive.genotypes import Statistical
from haploom.archive.header_lines import HEADER_CODEC, encode_header
from haploom.archive.limits import MOST_ALLELES, MOST_RECORDS, MOST_TEXT_BYTES
from haploom.archive.panels import sample_names
from haploom.archive.spans import have_ends, record_spans
from haploom.archive.text.cutting import TextBlock, TextHeader, cut_text
from haploom.compression.neural import NEURAL, NeuralBlock, codecs_for
from haploom.entropy_coding.byte_packing import pack_bytes
from haploom.errors import HaploomError
from haploom.io import NOT_KEPT, Selection, label_level, read_dosages, read_panel, read_populations, source_format
from haploom.io.formats import BCF, PLINK1, VCF
from haploom.io.output import atomic_output, check_outputs
from haploom.io.text_source import HashedStream, open_text, panel_text
from haploom.panel import DosagePanel, Panel
from haploom.parallel import Workers, run_parts

CODECS = ("auto", "statistical", *NEURAL)
_EVERYTHING = Selection()
_THIS_PROCESS = Workers()


class BlockLimits(NamedTuple):
    """How much a block may hold. Blocks bound memory, and are what random access decodes."""

    records: int
    alleles: int
    text_bytes: int


LEVELS = {
    "fast": BlockLimits(8192, 1 << 27, 256 << 20),
    "default": BlockLimits(8192, 1 << 27, 256 << 20),
    "max": BlockLimits(MOST_RECORDS, MOST_ALLELES, MOST_TEXT_BYTES),
}
_ONE_BLOCK = BlockLimits(1 << 40, 1 << 60, 1 << 60)  # a VAE sees all its sites at once


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How to store.

    codec: "statistical", a model's (the keys of `compression.neural.NEURAL`), or "auto", which takes a model's
    only where it makes the archive smaller, the model's own bytes counted.
    level: "fast", "default" or "max": how hard the statistical codec tries, and how large its blocks are.
    model: a model file. embed_model: put its integer decoder into the archive; otherwise the archive refers to
    the model file by its SHA-256, and reading needs that file.
    reference: an archive (opened, or where it is) beside whose people these are stored: only what it does not tell.
    Reading needs this very file.
    verify: decode the finished archive and compare it with what went in before it gets its name.
    threads: blocks coded at once; the bytes do not depend on it. workers: code blocks there instead, which pays on a
    cluster; not blocks of a model or beside a reference. force: replace an output that exists.

    Raises HaploomError for an unknown codec or level, or a codec that lacks its model.
    """

    codec: str = "auto"
    level: str = "default"
    model: Path | None = None
    reference: Path | Archive | None = None
    embed_model: bool = True
    verify: bool = True
    threads: int = 1
    workers: Workers = _THIS_PROCESS
    force: bool = False

    def __post_init__(self) -> None:
        if self.model is not None:
            object.__setattr__(self, "model", Path(self.model))
        if self.reference is not None and not isinstance(self.reference, Archive):
            object.__setattr__(self, "reference", Archive(self.reference))
        if self.reference is not None and (self.model is not None or self.codec in NEURAL):
            raise HaploomError("people stored beside a reference archive need no model: give one or the other")
        for name, known in (("codec", CODECS), ("level", LEVELS)):
            if getattr(self, name) not in known:
                raise HaploomError(f"unknown {name} {getattr(self, name)!r}: wanted one of {', '.join(known)}")
        if self.codec in NEURAL:
            if self.model is None:
                raise HaploomError(
                    f"codec {self.codec} needs a model: train one with `haploom train` and give it with --model"
                )
            check_byte_codec(self.codec.partition("+")[2])


@dataclass(frozen=True)
class _Source:
    """What to store: how to open its text (once for each codec tried), and what to say of it.

    labels: given the names of the people, the label levels to keep; label_level: the one that predicts INFO.
    """

    open: Callable[[], AbstractContextManager[HashedStream]]
    format: str
    not_kept: tuple[str, ...]
    labels: Callable[[tuple[str, ...]], Mapping[str, list[str]]]
    label_level: Callable[[Mapping[str, list[str]]], str | None]


def compress(
    source: Path | str, output: Path | str, *, selection: Selection = _EVERYTHING, **settings: Any
) -> dict[str, Any]:
    """Store a file of genotypes without loss; returns what `Archive.describe` says of the archive, and `verified`.

    Of VCF and BCF every byte of the text is kept; of other formats, and of a selection of regions, people or
    sites, the text that our writer makes of the panel. selection.populations: labels to keep, whose allele
    frequencies predict INFO such as EUR_AF. settings: the fields of `Storage`. Raises what reading raises.
    """
    source, output = Path(source), Path(output)
    storage = Storage(**settings)
    check_outputs((output,), (source, storage.model, selection.populations), storage.force)
    kind = source_format(source)
    whole = Selection(populations=selection.populations, label=selection.label) == selection
    if kind not in (VCF.name, BCF.name) or not whole:
        panel = read_dosages(source, selection) if kind == PLINK1.name else read_panel(source, selection)
        return _compress(_panel_source(panel, selection.label, kind, NOT_KEPT[kind]), output, storage)
    table = read_populations(selection.populations) if selection.populations else None
    text = _Source(
        partial(open_text, source, kind),
        kind,
        (),
        lambda samples: _columns(table.columns_for(samples)) if table else {},
        lambda labels: label_level(labels, selection.label) if labels else None,
    )
    return _compress(text, output, storage)


def compress_panel(
    panel: Panel, output: Path | str, *, header_lines: Sequence[str] = (), **settings: Any
) -> dict[str, Any]:
    """Store a panel, with its labels, as the text our writer makes of it.

    header_lines: more `##` lines of it. settings: the fields of `Storage`.
    """
    return _compress(_panel_source(panel, None, "panel", (), header_lines), Path(output), Storage(**settings))


def _panel_source(
    panel: Panel | DosagePanel, label: str | None, kind: str, not_kept: tuple[str, ...],
    header_lines: Sequence[str] = (),
) -> _Source:  # fmt: skip
    labels = _columns(panel.populations)
    level = label_level(labels, label) if label else None  # the text has no INFO to predict
    text = partial(panel_text, panel, header_lines)
    return _Source(lambda: nullcontext(text()), kind, not_kept, lambda _: labels, lambda _: level)


def _columns(labels: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    return {level: column.tolist() for level, column in labels.items()}


def _compress(source: _Source, output: Path, storage: Storage) -> dict[str, Any]:
    with atomic_output(output, storage.force) as target:
        if storage.codec == "auto" and storage.model is not None:
            _write_smaller(source, target, storage)
        else:
            _write(source, target, storage)
    return {**Archive(output, storage.model or storage.reference).describe(), "verified": storage.verify}


def _write_smaller(source: _Source, target: Path, storage: Storage) -> None:
    """All that applies, and the smallest archive, a model that is only referred to counted."""
    assert storage.model is not None
    _write(source, target, replace(storage, codec="statistical", model=None))
    smallest = target.stat().st_size
    other = target.with_name(f"{target.name}.neural")
    for codec in codecs_for(storage.model):
        try:
            _write(source, other, replace(storage, codec=codec))
            reference = Archive(other, storage.model).manifest.model
            referred_bytes = reference.stored_bytes if reference and not reference.embedded else 0
            if other.stat().st_size + referred_bytes < smallest:
                smallest = other.stat().st_size + referred_bytes
                os.replace(other, target)
        finally:
            other.unlink(missing_ok=True)


def _write(source: _Source, target: Path, storage: Storage) -> None:
    neural = storage.codec in NEURAL
    limits = _ONE_BLOCK if neural else LEVELS[storage.level]
    with source.open() as stream, target.open("wb") as file:
        header, blocks = cut_text(cast(BinaryIO, stream), limits.records, limits.text_bytes, limits.alleles)
        samples = sample_names(header.text) if header.n_samples else ()
        labels = source.labels(samples)
        level = source.label_level(labels)
        groups = {label: np.array(labels[level]) == label for label in sorted(set(labels[level]))} if level else {}
        writer = ContainerWriter(file)
        reference = storage.reference.as_reference if isinstance(storage.reference, Archive) else None
        if reference:
            coded = encode_header(header.text, reference.archive.header)
            writer.add(reader.HEADER, HEADER_CODEC, coded, len(header.text), crc32(header.text))
        else:
            _add_packed(writer, reader.HEADER, header.text)
        if labels:
            _add_packed(writer, reader.POPULATIONS, json.dumps(labels, ensure_ascii=False).encode())
        model = None
        if neural:
            assert storage.model is not None
            block = _only_block(blocks, header, storage.codec)
            model = NeuralBlock(block, storage.codec, storage.model, storage.embed_model, labels, storage.level)
            for name, data in model.shared_sections().items():
                _add_packed(writer, name, data, reader.STEPS if name == reader.MODEL_RECORDS else reader.PACKED)
            written = [_add_block(writer, 0, block, encode_block(block, model.codec, groups))]
        else:
            encode = partial(encode_block, codec=Statistical(storage.level), groups=groups)
            if reference:
                encode = partial(
                    encode_block_beside, reference=reference, codec=Statistical(storage.level), level=storage.level,
                    groups=groups,
                )  # fmt: skip
            if reference or storage.workers.here:
                encoded = _encode_in_threads(blocks, encode, storage.threads)
            else:
                encoded = _encode_elsewhere(blocks, encode, storage.workers)
            written = [_add_block(writer, number, *each) for number, each in enumerate(encoded)]
        writer.finish(
            Manifest(
                requires=sorted({section.codec for section in writer.sections.values()}),
                level=storage.level,
                n_samples=header.n_samples,
                blocks=written,
                text_sha256=stream.sha256,
                text_bytes=stream.n_bytes,
                source_format=source.format,
                not_kept=list(source.not_kept),
                label_level=level,
                model=model.reference if model else None,
                reference=reference.about if reference else None,
                paper_size_bits=model.paper_size_bits if model else None,
                made_by=provenance.record(),
                sections=writer.sections,
            )
        )
    if storage.verify:
        Archive(target, storage.model or storage.reference).verify(storage.threads)


Encode = Callable[[TextBlock], dict[str, EncodedSection]]
Encoded = tuple[TextBlock, dict[str, EncodedSection]]


def _encode_in_threads(blocks: Iterator[TextBlock], encode: Encode, threads: int) -> Iterator[Encoded]:
    """Blocks with their sections, in order; a few at a time are in memory."""
    waiting: list[tuple[TextBlock, Future[dict[str, EncodedSection]]]] = []
    with progress.task("Compressing", None) as advance, ThreadPoolExecutor(threads) as pool:

        def first() -> Encoded:
            block, future = waiting.pop(0)
            advance(block.n_records)
            return block, future.result()

        for block in blocks:
            waiting.append((block, pool.submit(encode, block)))
            if len(waiting) > threads:
                yield first()
        while waiting:
            yield first()


def _encode_elsewhere(blocks: Iterator[TextBlock], encode: Encode, workers: Workers) -> Iterator[Encoded]:
    """The same in other processes."""
    waiting: deque[TextBlock] = deque()

    def given() -> Iterator[TextBlock]:
        for block in blocks:
            waiting.append(block)
            yield block

    for _, sections in run_parts(encode, given(), workers, label="Compressing blocks", ordered=True):
        yield waiting.popleft(), sections


def _add_block(writer: ContainerWriter, number: int, block: TextBlock, sections: dict[str, EncodedSection]) -> Block:
    for name, section in sections.items():
        writer.add(f"{number}/{name}", *section)
    ends_in_info = have_ends(block.annotations)
    spans = record_spans(block.sites, block.annotations if ends_in_info else None)
    return Block(
        n_records=block.n_records, text_bytes=block.n_text_bytes, ends_in_info=ends_in_info,
        stretches=spans.stretches(),
    )  # fmt: skip


def _add_packed(writer: ContainerWriter, name: str, data: bytes, codec: str = reader.PACKED) -> None:
    writer.add(name, codec, pack_bytes(data), len(data), crc32(data))


def _only_block(blocks: Iterator[TextBlock], header: TextHeader, codec: str) -> TextBlock:
    block = next(blocks, None)
    if block is None or not header.n_samples or not block.plain.all():
        raise HaploomError(
            f"codec {codec} stores phased diploid calls without gaps, and some here are not, or there are none: "
            "use --codec statistical, which stores any VCF"
        )
    return block
