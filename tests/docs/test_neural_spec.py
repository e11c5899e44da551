"""docs/spec/neural-1.md is enough to decode: a reader written from its words alone, in Python's own integers."""

import math

import pytest
import zstandard
from numpy.testing import assert_array_equal
from spec_coders import STRETCH, Stream, learn, parts, signed, squash, symbols, unpacked

pytest.importorskip("torch")

from haploom.archive import open_archive
from haploom.compression import compress_panel
from haploom.io.model_file import read_model, write_model
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model

P = -7046029254386353131


def windows_outputs(arrays, row):
    _, _, _, n_outputs, coupled = arrays["window_bits"].tolist()
    n_windows, n_in, _ = arrays["0.weight"].shape
    width = n_in // 3 if coupled else n_in
    out = []
    for window in range(n_windows):
        first, past = window * width, (window + 1) * width
        seen = range(first - width, past + width) if coupled else range(first, past)
        x = [row[i] if 0 <= i < len(row) else 0 for i in seen]
        place = 0
        while f"{place}.weight" in arrays:
            if place:
                x = [min(max(value, 0), 65535) for value in x]
            weight, bias, shift = (arrays[f"{place}.{name}"][window].tolist() for name in ("weight", "bias", "shift"))
            x = [
                (sum(x_i * w[j] for x_i, w in zip(x, weight, strict=True)) + bias[j]) >> shift[j]
                for j in range(len(bias))
            ]
            place += 1
        out += x
    return out[:n_outputs]


def dense_outputs(arrays, row):
    x, place = row, 0
    while f"{place}.weight" in arrays:
        if place:
            x = [min(max(value, 0), 65535) for value in x]
        layer = zip(*(arrays[f"{place}.{name}"].tolist() for name in ("weight", "bias", "shift")), strict=True)
        x = [(sum(a * w for a, w in zip(x, weights, strict=True)) + bias) >> shift for weights, bias, shift in layer]
        place += 1
    return x


def unsplit(data):
    """16-bit integers: all low bytes, then all high bytes."""
    half = len(data) // 2
    return [low + 256 * high for low, high in zip(data[:half], data[half:])]


def outputs_of_codes(arrays, codes):
    """Outputs of a row, and their scale."""
    if "table" in arrays:
        rows = [arrays["table"][window][code].tolist() for window, code in enumerate(codes)]
        return [2 * s + 1 for row in rows for s in row][: int(arrays["n_sites"][0])], 4
    vectors = arrays["vectors"]
    n_books, heads = vectors.shape[:2]
    books = [place // heads if n_books > 1 else 0 for place in range(len(codes))]
    inputs = [v for place, code in enumerate(codes) for v in vectors[books[place]][place % heads][code].tolist()]
    return windows_outputs(arrays, inputs), int(arrays["window_bits"][1])


def shape_of(arrays):
    """Windows, heads, codes, and sites of a window."""
    if "table" in arrays:
        n_windows, n_codes, width = arrays["table"].shape
        return n_windows, 1, n_codes, width
    last = max(name for name in arrays if name.endswith(".weight"))
    n_windows, _, width = arrays[last].shape
    return n_windows, arrays["vectors"].shape[1], arrays["vectors"].shape[2], width


def in_256ths(y, scale):
    return math.floor(min(max(y * 2.0 ** (8 - scale), -2839), 2839) + 0.5)


def decoded_codes(data, n_rows, n_columns, n_codes):
    if data[0] == 1:
        flat = unpacked(data[1:])
        return [flat[row * n_columns : (row + 1) * n_columns] for row in range(n_rows)]
    assert data[0] == 0
    order, before, columns = list(range(n_rows)), [0] * n_rows, []
    for part in parts(data[1:], n_columns):
        found = symbols(part, n_codes, [[before[row]] for row in order])
        by_row = dict(zip(order, found))
        before = [by_row[row] for row in range(n_rows)]
        columns.append(before)
        order = sorted(order, key=by_row.__getitem__)  # which keeps the order of those alike
    return list(zip(*columns))


def decoded_alleles(data, log_odds, codes, heads, n_codes, width):
    n_rows, n_sites = len(log_odds), len(log_odds[0])
    stream, cells = Stream(data), {}
    donor_cells = [[60000 << 16, 2] for _ in range(81)]
    weights = [[22000] * 3 for _ in range(81)]
    t = min(max((n_rows * n_sites).bit_length() - 2, 10), 22)
    table, latest, rows = {}, {}, []

    def logit(cell):
        return STRETCH[cell[0] >> 16]

    for r in range(n_rows):
        row, donor, length, misses, history = [], None, 0, 0, 0
        rows.append(row)
        for i in range(n_sites):
            slot = None
            if donor is None and i % width == 0:
                donor, length, misses = latest.get((codes[r][i // width * heads], i // width)), 0, 0
            if i >= 32 and i % 4 == 0:
                slot = (signed(signed(signed(history * P) ^ (i * 0x2545F491)) * P) >> 23) % 2**t
                candidate = table.get(slot, 0) - 1
                if (donor is None or 16 <= length < 20) and 0 <= candidate < r and candidate != donor:
                    a = 0
                    while a < 32 and rows[candidate][i - 1 - a] == row[i - 1 - a]:
                        a += 1
                    if a >= 20 and (donor is None or a > length):
                        donor, length, misses = candidate, a, 0
            g = log_odds[r][i]
            cell = cells.setdefault((codes[r][i // width * heads], i), [squash(g) << 16, 6])
            b = 0
            if donor is not None:
                s = length >> 1 if length < 12 else min(6 + (length >> 4).bit_length(), 19)
                b = 1 + 4 * s + sum(misses > limit for limit in (64, 512, 1200))
            sure = 0 if donor is None else logit(donor_cells[b])
            inputs = [g, logit(cell), sure if donor is None or rows[donor][i] else -sure]
            p = squash(sum(x * w for x, w in zip(inputs, weights[b])) >> 16)
            bit = stream.bit(p)
            weights[b] = [w + ((x * (65536 * bit - p) * 3 + 2**17) >> 18) for x, w in zip(inputs, weights[b])]
            learn(cell, bit, 255)
            if donor is not None:
                right = int(rows[donor][i] == bit)
                learn(donor_cells[b], right, 1023)
                misses -= misses >> 5
                length = length + 1 if right else 0
                if not right:
                    misses += 256
                    donor = None if misses > 1800 else donor
            if slot is not None:
                table[slot] = r + 1
            history = (history << 1 | bit) % 2**32
            row.append(bit)
        latest |= {(code, window): r for window, code in enumerate(codes[r][::heads])}
    return rows


@pytest.fixture(scope="module")
def panel(two_populations):
    return two_populations.select_sites(slice(0, 130)).select_samples(two_populations.samples[20:44])


@pytest.fixture(
    scope="module", params=[{"heads": 1}, {"heads": 2}, {"heads": 2, "book_per_window": False, "couple": True}]
)
def model(request, panel, two_populations_split, tmp_path_factory):
    shape = {"n_latent": 4, "window": 40, "codes": 6, "hidden": (8,), "decoder_hidden": (8,), **request.param}
    config = TrainingConfig(epochs=3, batch_size=8)
    trained = train_model(panel, two_populations_split, "population", kind="vqvae", config=config, shape=shape)
    path = tmp_path_factory.mktemp("model") / "a.model"
    write_model(trained.model, path)
    return path


def test_neural_spec__codes_and_alleles(panel, model, tmp_path):
    compress_panel(panel, tmp_path / "a.hlm", codec="vqvae", model=model, embed_model=False)
    arrays, n_rows = read_model(model).group("exact"), panel.n_haplotypes
    n_windows, heads, n_codes, width = shape_of(arrays)
    _, known = parts(open_archive(tmp_path / "a.hlm", model)._container.stored("0/genotypes"), 2)
    stored_codes, stored_alleles = parts(known, 2)
    codes = decoded_codes(stored_codes, n_rows, n_windows * heads, n_codes)
    log_odds = []
    for row in codes:
        outputs, scale = outputs_of_codes(arrays, row)
        log_odds.append([in_256ths(y, scale) for y in outputs])
    assert_array_equal(decoded_alleles(stored_alleles, log_odds, codes, heads, n_codes, width), panel.alleles())


def test_neural_spec__codes_and_residual(panel, model, tmp_path):
    compress_panel(panel, tmp_path / "a.hlm", codec="vqvae+zstd", model=model, embed_model=False)
    arrays, n_rows = read_model(model).group("exact"), panel.n_haplotypes
    n_windows, heads, _, _ = shape_of(arrays)
    indices, residual = (
        zstandard.ZstdDecompressor().decompress(part)
        for part in parts(open_archive(tmp_path / "a.hlm", model)._container.stored("0/genotypes"), 2)
    )
    assert len(indices) == n_rows * n_windows * heads
    alleles = []
    for row in range(n_rows):
        outputs, _ = outputs_of_codes(arrays, indices[row * n_windows * heads : (row + 1) * n_windows * heads])
        packed = residual[row * 17 : (row + 1) * 17]
        wrong = [packed[site // 8] >> (7 - site % 8) & 1 for site in range(130)]
        alleles.append([int(y > 0) ^ other for y, other in zip(outputs, wrong)])
    assert_array_equal(alleles, panel.alleles())


@pytest.mark.parametrize("kind", ["vae", "cvae", "pca", "window-vae"])
def test_neural_spec__latents_and_residual(kind, panel, two_populations_split, tmp_path):
    shape = {"n_latent": 3} if kind == "pca" else {"n_latent": 3, "hidden": (8,), "decoder_hidden": (8,)}
    shape |= {"window": 50, "couple": True} if kind == "window-vae" else {}
    config, path = TrainingConfig(epochs=3, batch_size=8), tmp_path / "a.model"
    trained = train_model(panel, two_populations_split, "population", kind=kind, config=config, shape=shape)
    write_model(trained.model, path)
    codec = {"cvae": "cvae+rle", "pca": "pca+rle"}.get(kind, "vae+rle")
    compress_panel(panel, tmp_path / "a.hlm", codec=codec, model=path, embed_model=False)
    stored = open_archive(tmp_path / "a.hlm", path)._container.stored("0/genotypes")
    arrays = read_model(path).group("exact")
    labels = None
    if kind == "cvae":
        packed, stored = parts(stored, 2)
        labels = unpacked(packed)
    z_bytes, n_runs = (int.from_bytes(stored[i : i + 8], "little") for i in (0, 8))
    latents = [z - 65536 if z > 32767 else z for z in unsplit(unpacked(stored[16 : 16 + z_bytes]))]
    runs = iter(unsplit(unpacked(stored[16 + z_bytes :])))
    n_latent, alleles = len(latents) // panel.n_haplotypes, []
    for row in range(panel.n_haplotypes):
        x = latents[row * n_latent : (row + 1) * n_latent]
        if labels is not None:
            x += [2 ** int(arrays["bits"][0]) * (label == labels[row // 2]) for label in range(2)]
        outputs = windows_outputs(arrays, x) if "window_bits" in arrays else dense_outputs(arrays, x)
        wrong, bit = [], 0
        while len(wrong) < panel.n_sites:
            wrong += [bit] * next(runs)
            bit = 1 - bit
        alleles.append([int(y > 0) ^ other for y, other in zip(outputs, wrong, strict=True)])
    assert_array_equal(alleles, panel.alleles())
    assert n_runs > 0
    assert next(runs, None) is None
