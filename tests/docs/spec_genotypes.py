"""docs/spec/genotypes-1.md written anew from its words: levels 0 and 1, rare sites of classes 0 and 1 only."""

from spec_coders import Stream

Cells = dict[tuple[int, ...], list[int]]


def class_begin(c: int) -> int:
    if c < 2:
        return c
    return 2 ** (c // 2) if c % 2 == 0 else 3 * 2 ** ((c - 3) // 2)


def alleles(data: bytes, n_sites: int, n: int) -> list[list[int]]:
    """Site after site."""
    if data[0] == 0:
        bits = [data[1 + i // 8] >> (7 - i % 8) & 1 for i in range(n_sites * n)]
        return [bits[n * site : n * (site + 1)] for site in range(n_sites)]
    assert data[0] == 1
    assert 1 <= data[1] <= 12
    common, stream = data[1], Stream(data[2:])
    classes, flipped = site_classes(stream, n_sites)
    minor = [[0] * n for _ in range(n_sites)]
    order, runs = list(range(n)), {}
    for site, c in enumerate(classes):
        if c >= common:
            for haplotype, allele in zip(order, run_of_alleles(stream, runs, c, n)):
                minor[site][haplotype] = allele
            order.sort(key=lambda haplotype: minor[site][haplotype])
    tree = SingletonTree(n)
    for site, c in enumerate(classes):
        if c < common:
            assert c < 2
            if c:
                minor[site][tree.draw(stream)] = 1
    return [[allele ^ flip for allele in row] for row, flip in zip(minor, flipped)]


def site_classes(stream: Stream, n_sites: int) -> tuple[list[int], list[int]]:
    cells: Cells = {}
    weights: dict[int, list[int]] = {}
    classes, flipped, one, two, three = [], [], 0, 0, 0
    for _ in range(n_sites):
        node = 1
        for _ in range(6):
            contexts = (
                (0, node), (1, one, node), (2, min(one, 15), min(two, 15), node),
                (3, min(one, 7), min(two, 7), min(three, 7), node),
            )  # fmt: skip
            chosen = [cells.setdefault(context, [32768 << 16, 2]) for context in contexts]
            node = 2 * node + stream.mixed_bit(chosen, weights.setdefault(node, [21845] * 4), 4, 250)
        one, two, three = node - 64, one, two
        classes.append(one)
        flipped.append(stream.mixed_bit([cells.setdefault((4, one), [32768 << 16, 2])], [65536], 0, 1000))
    return classes, flipped


def run_of_alleles(stream: Stream, cells: Cells, site_class: int, n: int) -> list[int]:
    """Of one common site at level 1, in the PBWT order."""

    def bit(*context: int) -> int:
        return stream.lone_bit(cells.setdefault((site_class, *context), [32768 << 16, 0]), 400)

    allele, short, found = bit(0, 0, 0), 0, []
    while len(found) < n:
        most, b = n - len(found), 1
        while b < 32 and most >> b and bit(allele, short, b):
            b += 1
        x = 1
        for j in range(b - 1):
            if j < 2:
                x = 2 * x + bit(allele, short, 32 + b if j == 0 else 32 * (2 + (x & 1)) + b)
            else:
                x = 2 * x + stream.bit(32768)
        length = min(x, most)
        found += [allele] * length
        allele, short = 1 - allele, int(length < 8)
    return found


class SingletonTree:
    """Draws from trees 0 and 11."""

    def __init__(self, n: int) -> None:
        self.n, self.depth = n, (n - 1).bit_length()
        self.trees: list[dict[int, list[int]]] = [{}, {}]
        self.weights = [[39321, 39321] for _ in range(self.depth)]

    def new_cell(self, level: int, j: int) -> list[int]:
        width = 2 ** (self.depth - level)
        below = min(max(self.n - width * j, 1), width)
        right = min(max(self.n - width * j - width // 2, 0), width // 2)
        return [(2**32 * right // below >> 16) << 16, 3]

    def draw(self, stream: Stream) -> int:
        left, node = 0, 1
        for level in range(self.depth):
            half = 2 ** (self.depth - level - 1)
            branch = 0
            if left + half < self.n:
                cells = [tree.setdefault(node, self.new_cell(level, node - 2**level)) for tree in self.trees]
                branch = stream.mixed_bit(cells, self.weights[level], 2, 1000)
            left += branch * half
            node = 2 * node + branch
        return left
