"""Every neural codec: what goes in comes out, wherever the model is; the same bytes everywhere; damage is refused."""

import os
import stat
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from haploom.archive import open_archive  # noqa: E402
from haploom.archive.model_codecs import integer_decoder  # noqa: E402
from haploom.baselines.principal_components import pca_of  # noqa: E402
from haploom.compression import compress_panel  # noqa: E402
from haploom.errors import CorruptArchiveError, HaploomError  # noqa: E402
from haploom.io.model_file import read_model, write_model  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.network import load_network  # noqa: E402
from haploom.panel import Panel  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402

NARROW = {"hidden": (24,), "decoder_hidden": (24,)}  # packing wide networks takes longer than training them
MODELS = {
    "vae": ("vae", {"n_latent": 4, **NARROW}),
    "cvae": ("cvae", {"n_latent": 4, **NARROW}),
    "pca": ("pca", {"n_latent": 4}),
    "window-vae": ("window-vae", {"n_latent": 2, "window": 70, **NARROW}),
    "table": ("vqvae", {"n_latent": 8, "window": 70, "heads": 1, "codes": 16, **NARROW}),
    "heads": ("vqvae", {"n_latent": 8, "window": 70, "heads": 4, "codes": 8, **NARROW}),
}
CODECS = [
    ("vae+rle", "vae"), ("vae+rle", "window-vae"), ("vae", "vae"), ("vae", "window-vae"), ("cvae+rle", "cvae"),
    ("pca+rle", "pca"), ("vqvae+zstd", "table"), ("vqvae+zstd", "heads"), ("vqvae", "table"), ("vqvae", "heads"),
    *([("vqvae+blosc2", "heads")] if find_spec("blosc2") else []),
]  # fmt: skip


@pytest.fixture(scope="module")
def models(two_populations, two_populations_split, tmp_path_factory):
    """A model file of each of MODELS, at every second site: the others are not known to it."""
    folder, config = tmp_path_factory.mktemp("models"), TrainingConfig(epochs=6, batch_size=24)
    panel = two_populations.select_sites(np.arange(0, 300, 2))
    paths = {}
    for name, (kind, shape) in MODELS.items():
        trained = train_model(panel, two_populations_split, "population", kind=kind, config=config, shape=shape)
        paths[name] = folder / f"{name}.model"
        write_model(trained.model, paths[name])
    return paths


@pytest.mark.parametrize("embed_model", [True, False])
@pytest.mark.parametrize(("codec", "model"), CODECS, ids=[" ".join(pair) for pair in CODECS])
def test_neural_codecs__give_back_the_panel(two_populations, models, tmp_path, codec, model, embed_model):
    path = tmp_path / "a.hlm"
    about = compress_panel(two_populations, path, codec=codec, model=models[model], embed_model=embed_model)
    assert list(about["blocks"]) == [f"{codec}/1"]
    assert about["model_bytes"] > 0
    assert_array_equal(open_archive(path, models[model]).read().bits, two_populations.bits)
    if embed_model:
        assert_array_equal(open_archive(path).read().bits, two_populations.bits)
        return
    with pytest.raises(HaploomError, match="needs its model"):
        open_archive(path).verify()
    other = next(path for name, path in models.items() if name != model)
    with pytest.raises(HaploomError, match="is not the model"):
        open_archive(path, other).verify()


def test_neural_codecs__one_person_and_nobody_new(two_populations, models, tmp_path):
    one = two_populations.select_samples(two_populations.samples[3:4])
    for codec, model in CODECS:
        compress_panel(one, tmp_path / "a.hlm", codec=codec, model=models[model], force=True)
        assert_array_equal(open_archive(tmp_path / "a.hlm").read().bits, one.bits)


@pytest.mark.parametrize("rows_at_once", [1, 7, 1024])
def test_neural_codecs__batches_do_not_matter(two_populations, models, tmp_path, monkeypatch, rows_at_once):
    wanted = {}
    for codec, model in CODECS:
        compress_panel(two_populations, tmp_path / "a.hlm", codec=codec, model=models[model], force=True)
        wanted[codec, model] = (tmp_path / "a.hlm").read_bytes()
    monkeypatch.setattr("haploom.panel.bits.BLOCK_BYTES", rows_at_once * 300)
    monkeypatch.setattr("haploom.exact.network.VALUES_AT_ONCE", rows_at_once * 150)
    for codec, model in CODECS:
        (tmp_path / "a.hlm").write_bytes(wanted[codec, model])
        open_archive(tmp_path / "a.hlm").verify()
        compress_panel(two_populations, tmp_path / "b.hlm", codec=codec, model=models[model], force=True)
        once, again = (open_archive(tmp_path / f"{name}.hlm")._container.stored("0/genotypes") for name in "ab")
        assert once == again


def test_neural_codecs__read_without_torch_by_any_number_of_threads(two_populations, models, tmp_path):
    paths, wanted = [], set()
    for codec, model in CODECS:
        paths.append(tmp_path / f"{codec}-{model}.hlm")
        wanted.add(compress_panel(two_populations, paths[-1], codec=codec, model=models[model])["text_sha256"])
    (digest,) = wanted
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import hashlib\n"
        "from haploom.archive import open_archive\n"
        "for path in sys.argv[1:]:\n"
        "    print(hashlib.sha256(b''.join(open_archive(path).text())).hexdigest())\n"
    )
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        run = [sys.executable, "-c", program, *map(str, paths)]
        printed = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
        assert printed.split() == [digest] * len(paths)


def test_neural_codecs__auto_is_never_larger(two_populations, models, tmp_path):
    statistical = compress_panel(two_populations, tmp_path / "s.hlm", codec="statistical")["total_bytes"]
    for name, model in models.items():
        about = compress_panel(two_populations, tmp_path / f"{name}.hlm", model=model)
        assert about["total_bytes"] <= statistical


def test_neural_codecs__labels_are_given_or_found(two_populations, models, tmp_path):
    """Told the other label, a C-VAE guesses worse; told none, it finds labels that leave no more to store."""
    labels = two_populations.labels("population")
    swapped = np.where(labels == "north", "south", "north")
    sizes = {}
    for name, populations in (("told", labels), ("wrong", swapped), ("found", None)):
        panel = Panel(
            two_populations.bits, two_populations.variants, two_populations.samples,
            {} if populations is None else {"population": populations},
        )  # fmt: skip
        about = compress_panel(panel, tmp_path / f"{name}.hlm", codec="cvae+rle", model=models["cvae"])
        assert_array_equal(open_archive(tmp_path / f"{name}.hlm").read().bits, panel.bits)
        sizes[name] = about["paper_counted_bytes"]
    assert sizes["told"] < sizes["wrong"]
    assert sizes["found"] <= 1.01 * sizes["told"]


@pytest.mark.parametrize(("codec", "model"), CODECS, ids=[" ".join(pair) for pair in CODECS])
def test_neural_codecs__damage_is_refused(two_populations, models, tmp_path, codec, model):
    path = tmp_path / "a.hlm"
    compress_panel(two_populations, path, codec=codec, model=models[model], embed_model=False)
    archive = open_archive(path, models[model])
    neural, stored = archive._codecs[f"{codec}/1"], archive._container.stored("0/genotypes")
    rng = np.random.default_rng(4)
    for _ in range(25):
        place, bit = int(rng.integers(len(stored))), int(rng.integers(8))
        damaged = bytearray(stored)
        damaged[place] ^= 1 << bit
        try:
            bits = neural.decode(bytes(damaged), 300, 120)
        except (ValueError, IndexError, OverflowError, MemoryError):
            continue  # what the archive reports as damage
        assert bits.shape == (300, 15)
    with pytest.raises((ValueError, IndexError)):
        neural.decode(b"", 300, 120)


def test_neural_codecs__a_model_of_another_kind_is_refused(two_populations, models, tmp_path):
    for codec, model in (("vae", "table"), ("vqvae", "vae"), ("pca+rle", "cvae"), ("cvae+rle", "vae")):
        with pytest.raises(HaploomError, match=f"does not store haplotypes with codec {codec[:4]}"):
            compress_panel(two_populations, tmp_path / "a.hlm", codec=codec, model=models[model])
    assert not (tmp_path / "a.hlm").exists()


def test_neural_codecs__an_altered_model_is_refused(two_populations, models, tmp_path):
    from haploom.archive import reader
    from haploom.archive.container import ContainerWriter

    path = tmp_path / "a.hlm"
    compress_panel(two_populations, path, codec="vqvae", model=models["table"])
    container = open_archive(path)._container
    with path.with_name("lie.hlm").open("wb") as file:
        writer = ContainerWriter(file)
        for name, section in container.manifest.sections.items():
            stored = container.stored(name)
            if name == reader.MODEL:
                stored = stored[:1000] + bytes([stored[1000] ^ 1]) + stored[1001:]
            writer.add(name, section.codec, stored, section.decoded_bytes, section.crc32)
        writer.finish(container.manifest.model_copy(update={"sections": writer.sections}))
    with pytest.raises(CorruptArchiveError, match="model"):
        open_archive(path.with_name("lie.hlm")).verify()


def test_genozip__is_asked_for_where_it_is_absent_and_used_where_it_is_there(
    two_populations, models, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(HaploomError, match="genozip and genounzip, which are not on PATH"):
        compress_panel(two_populations, tmp_path / "a.hlm", codec="vqvae+genozip", model=models["table"])
    # Stand-ins that take the same options: the archive's part is to run them and to check what comes back.
    (tmp_path / "bin").mkdir()
    for name, change in (("genozip", "bytes(b ^ 255 for b in data)"), ("genounzip", "bytes(b ^ 255 for b in data)")):
        script = tmp_path / "bin" / name
        script.write_text(
            f"#!{sys.executable}\nimport sys\n*_, target, source = sys.argv\ndata = open(source, 'rb').read()\n"
            f"open(target, 'wb').write({change})\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    compress_panel(two_populations, tmp_path / "a.hlm", codec="vqvae+genozip", model=models["table"])
    assert_array_equal(open_archive(tmp_path / "a.hlm").read().bits, two_populations.bits)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HaploomError, match="not on PATH"):
        open_archive(tmp_path / "a.hlm").verify()


@pytest.mark.skipif(find_spec("blosc2") is not None, reason="blosc2 is here, and among CODECS")
def test_blosc2__is_named_where_it_is_absent(two_populations, models, tmp_path):
    with pytest.raises(HaploomError, match=r"pip install 'haploom\[blosc2\]'"):
        compress_panel(two_populations, tmp_path / "a.hlm", codec="vqvae+blosc2", model=models["table"])


@pytest.mark.parametrize("name", ["vae", "cvae", "window-vae", "table", "heads"])
def test_quantisation__costs_less_than_one_percent_of_the_bits(two_populations, models, name):
    """Alleles under the integer decoder beside those under the float one, at the same latents or codes."""
    model = read_model(models[name])
    network, decoder = load_network(model), integer_decoder(model.group("exact"))
    alleles = two_populations.alleles()[:, ::2]
    labels = torch.arange(120) // 60 if name == "cvae" else None  # sorted: north, then south
    batch = Batch(torch.from_numpy(alleles).float(), None, labels)
    with torch.no_grad():
        if name in ("table", "heads"):
            codes = network.codes(batch)
            wanted, inputs = network.decode_codes(codes), codes.flatten(1).numpy()
        else:
            z, _ = network.encode(batch)
            wanted = network.decode(z, labels)
            one_hot = np.empty((120, 0)) if labels is None else np.eye(2)[labels]
            inputs = decoder.quantise_input(np.concatenate([z.flatten(1).numpy(), one_hot], axis=1))
    in_bits = [
        (np.logaddexp(0, log_odds) - alleles * log_odds).sum() / np.log(2)
        for log_odds in (
            np.asarray(decoder.logits(inputs), dtype=float) / 2**decoder.output_bits,
            wanted.double().numpy(),
        )
    ]
    assert in_bits[1] < 0.95 * alleles.size  # the decoder has learned something
    assert in_bits[0] == pytest.approx(in_bits[1], rel=0.01)


def test_quantisation__of_axes_changes_hardly_a_decision(two_populations, models):
    """A PCA has no probabilities: its cost is the residual's, a run of which is two wrong decisions at most."""
    model = read_model(models["pca"])
    pca, decoder, alleles = pca_of(model), integer_decoder(model.group("exact")), two_populations.alleles()[:, ::2]
    scores = pca.transform(alleles)
    wanted = (scores @ pca.components_ + pca.mean_ > 0.5) != alleles
    got = decoder.decide(decoder.quantise_input(scores)) != alleles
    assert 0 < wanted.sum() < 0.2 * alleles.size
    assert got.sum() <= 1.01 * wanted.sum()
