"""docs/spec/site-columns-1.md written anew from its words: `sites/1` and `annotations/1`."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from spec_coders import integers, modelled_text, number, numbers, parts, stepped_numbers, symbols, unpacked

Sides = list[list[int]]


class Counts(NamedTuple):
    """Of a block's genotypes: for everybody, then each group, (called, alternate lists) by record; and samples."""

    groups: list[tuple[list[int], list[list[int]]]]
    samples: list[int]


def texts(data: bytes, n: int) -> list[bytes]:
    if data[0] == 0:
        text = unpacked(data[1:])
    else:
        assert data[0] == 1
        size, place = number(data, 1)
        text = modelled_text(data[place:], size)
    values = text.split(b"\n")
    assert values.pop() == b""
    assert len(values) == n
    return values


def column(data: bytes, sides: Sides) -> list[bytes]:
    if not sides:
        return []
    ways = [constant, dictionary, plain_numbers, number_steps, lists, lambda data, sides: texts(data, len(sides))]
    return [*ways, identifiers][data[0]](data[1:], sides)


def merged(chosen: list[int], yes: list[bytes], no: list[bytes]) -> list[bytes]:
    first, second = iter(yes), iter(no)
    return [next(first) if one else next(second) for one in chosen]


def none(n: int) -> Sides:
    return [[]] * n


def constant(data: bytes, sides: Sides) -> list[bytes]:
    return [data] * len(sides)


def dictionary(data: bytes, sides: Sides) -> list[bytes]:
    head, entries, others, coded = parts(data, 4)
    n, place = number(head, 0)
    has_others = head[place:] == b"\1"
    found = symbols(coded, n + has_others, sides)
    rest = iter(texts(others, found.count(n)) if n in found else [])
    known = texts(entries, n)
    return [known[symbol] if symbol < n else next(rest) for symbol in found]


def escapes(data: bytes, others: bytes, n: int) -> list[int]:
    return symbols(data, 2, none(n)) if others else [1] * n


def plain_numbers(data: bytes, sides: Sides, as_steps: bool = False) -> list[bytes]:
    head, coded_escapes, others, coded_decimals, coded = parts(data, 5)
    scale = head[0]
    is_number = escapes(coded_escapes, others, len(sides))
    values = integers(coded, as_steps, [side for side, one in zip(sides, is_number) if one])
    decimals = [0] * len(values)
    if scale:
        digits = [f"{abs(value) % 10**scale:0{scale}d}" for value in values]
        decimals = symbols(coded_decimals, scale + 1, [[len(text.rstrip("0"))] for text in digits])
    spelled = []
    for value, n in zip(values, decimals):
        whole, fraction = divmod(abs(value), 10**scale)
        text = "-" * (value < 0) + str(whole) + ("." + f"{fraction:0{scale}d}"[:n] if n else "")
        spelled.append(text.encode())
    n_others = len(sides) - len(values)
    return merged(is_number, spelled, texts(others, n_others) if n_others else [])


def number_steps(data: bytes, sides: Sides) -> list[bytes]:
    return plain_numbers(data, sides, as_steps=True)


def lists(data: bytes, sides: Sides) -> list[bytes]:
    coded_lengths, items = parts(data, 2)
    lengths = integers(coded_lengths, False, sides)
    item_sides = [[min(i, 8), *side[:1]] for n, side in zip(lengths, sides) for i in range(n)]
    values = iter(column(items, item_sides))
    return [b",".join(next(values) for _ in range(n)) for n in lengths]


def identifiers(data: bytes, sides: Sides) -> list[bytes]:
    prefix, coded_escapes, others, clusters, coded_clusters, steps = parts(data, 6)
    is_number = escapes(coded_escapes, others, len(sides))
    n, *bounds = numbers(clusters)
    first, size = bounds[:n], bounds[n:]
    of_cluster = symbols(coded_clusters, n, none(sum(is_number)))
    found = [prefix + str(value).encode() for value in stepped_numbers(steps, of_cluster, first, size)]
    return merged(is_number, found, column(others, none(len(sides) - len(found))))


def corrections(data: bytes, predicted: list[bytes], sides: Sides) -> list[bytes]:
    if not data:
        return predicted
    places, right = parts(data, 2)
    wrong = symbols(places, 2, none(len(predicted)))
    values = iter(column(right, [side for side, one in zip(sides, wrong) if one]))
    return [next(values) if one else value for one, value in zip(wrong, predicted)]


def gaps(pos: list[bytes]) -> list[int]:
    places = [int(p) if p.isdigit() and len(p) <= 18 else 0 for p in pos]
    return [here - before for before, here in zip(places[:1] + places, places)]


def sites(data: bytes, n: int) -> list[list[bytes]]:
    """CHROM, POS, ID, REF, ALT: a list each."""
    coded_chrom, coded_pos, coded_ref, coded_alt, pattern, coded_names = parts(data, 6)
    chrom = column(coded_chrom, none(n))
    pos = column(coded_pos, [[int(a != b)] for a, b in zip(chrom[:1] + chrom, chrom)])
    near = [min(max(gap, -1), 3) for gap in gaps(pos)]
    ref = column(coded_ref, [[gap] for gap in near])
    alt = column(coded_alt, [[zlib.crc32(r), gap] for r, gap in zip(ref, near)])
    if not pattern:
        return [chrom, pos, column(coded_names, none(n)), ref, alt]
    between = pattern[1:].split(b"\t")
    names = []
    for c, p, r, a in zip(chrom, pos, ref, alt):
        pieces = [c.removeprefix(b"chr") if pattern[0] else c, p, r, a][: len(between) - 1]
        names.append(b"".join(text + piece for text, piece in zip(between, pieces)) + between[-1])
    return [chrom, pos, corrections(coded_names, names, none(n)), ref, alt]


def annotations(data: bytes, columns: list[list[bytes]], counts: Counts | None) -> list[bytes]:
    """Lines of QUAL, FILTER, INFO and FORMAT."""
    head, *coded = parts(data, 1 + parts(data, 2)[0][0])
    _, pos, _, ref, alt = columns
    sides = [
        [r[0] << 10 | a[0] << 2 | (len(r) > 1) << 1 | (len(a) > 1), max(gap, 0).bit_length()]
        for r, a, gap in zip(ref, alt, gaps(pos))
    ]
    if counts:
        for side, called, alternate in zip(sides, *counts.groups[0]):
            side.append(min(sum(alternate), called - sum(alternate)).bit_length())
    n_alternates = [0 if a == b"." else a.count(b",") + 1 for a in alt]
    found = [column(part, sides) if i != 2 else [] for i, part in enumerate(coded)]
    found[2] = info(coded[2], sides, n_alternates, counts) if head[1] else texts(coded[2], len(pos))
    return [b"\t".join(values) for values in zip(*found)]


def info(data: bytes, sides: Sides, n_alternates: list[int], counts: Counts | None) -> list[bytes]:
    coded_layouts, rest = parts(data, 2)
    layouts = [layout.split(b";") for layout in column(coded_layouts, sides)]
    records: dict[bytes, list[int]] = {}
    for record, keys in enumerate(layouts):
        for key in keys:
            if key.endswith(b"="):
                records.setdefault(key, []).append(record)
    frequent = [key for key, own in records.items() if len(own) >= 16]
    rare = [key for key in records if key not in frequent]
    coded_rare, *coded = parts(rest, 1 + len(frequent))
    rare_values = iter(column(coded_rare, none(sum(len(records[key]) for key in rare))))
    values: dict[bytes, Iterator[bytes]] = {key: iter([next(rare_values) for _ in records[key]]) for key in rare}
    for key, part in zip(frequent, coded):
        predictor, stored = parts(part, 2)
        own_sides = [sides[record] for record in records[key]]
        if predictor:
            assert counts
            guesses = predicted(predictor, records[key], n_alternates, counts)
            values[key] = iter(corrections(stored, guesses, own_sides))
        else:
            values[key] = iter(column(stored, own_sides))
    return [b";".join(key + next(values[key]) if key[-1:] == b"=" else key for key in keys) for keys in layouts]


def predicted(predictor: bytes, records: list[int], n_alternates: list[int], counts: Counts) -> list[bytes]:
    quantity, group, spelling = predictor
    called, alternate = counts.groups[group]
    guesses = []
    for record in records:
        items = alternate[record][: n_alternates[record]]
        if quantity == 1:
            guess = str(called[record])
        elif quantity == 2:
            guess = str(counts.samples[record])
        elif quantity == 0:
            guess = ",".join(map(str, items))
        else:
            n = called[record]
            guess = ",".join(spelled(item / n, spelling) if n else "" for item in items)
        guesses.append(guess.encode())
    return guesses


def spelled(value: float, spelling: int) -> str:
    if spelling == 37:
        return repr(value)
    if spelling == 36:
        return f"{struct.unpack('f', struct.pack('f', value))[0]:.6g}"
    text = f"{value:.{spelling % 9 + 1}{'ffge'[spelling // 9]}}"
    return text.rstrip("0").rstrip(".") if spelling < 9 else text
