"""The command line's contract: exit codes, one clear line for bad input, nothing half-written."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from haploom.bench.records import append_records
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError
from haploom.io import write_panel, write_populations

pytest.importorskip("torch")


@pytest.fixture
def files(two_populations, small_model, tmp_path):
    """A VCF, its labels and a model of it, in a folder of their own."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_panel(two_populations, folder / "panel.vcf.gz")
    write_panel(two_populations, folder / "panel.vcf")
    write_populations(folder / "labels.tsv", two_populations.samples, two_populations.populations)
    (folder / "m.model").write_bytes(small_model.read_bytes())
    return folder


def call(*arguments):
    return run(haploom, [str(argument) for argument in arguments])


def assert_refused(capsys, out, *arguments, says):
    """The command exits with 3, prints one line that says something, and leaves nothing in `out`."""
    out.mkdir(exist_ok=True)
    assert call(*arguments) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    errors = [line for line in printed.err.strip().splitlines() if "no --split" not in line]
    assert len(errors) == 1, errors
    assert errors[0].startswith("haploom: ")
    assert says in errors[0]
    assert list(out.iterdir()) == []


def edited(files, edit):
    """A copy of the plain VCF with its lines changed."""
    path = files / "bad.vcf"
    path.write_text("\n".join(edit((files / "panel.vcf").read_text().splitlines())) + "\n")
    return path


def with_call(lines, text):
    """One call of the fourth record changed."""
    record = next(place for place, line in enumerate(lines) if not line.startswith("#")) + 3
    cells = lines[record].split("\t")
    cells[10] = text
    return [*lines[:record], "\t".join(cells), *lines[record + 1 :]]


BAD_CALLS = {"0/1": "unphased", ".|.": "missing", "1": "haploid", "0|2": "allele"}


@pytest.mark.parametrize("text", BAD_CALLS, ids=BAD_CALLS.values())
@pytest.mark.parametrize("command", ["convert", "embed", "train"])
def test_bad_input__calls(files, tmp_path, capsys, text, command):
    source = edited(files, lambda lines: with_call(lines, text))
    more = {
        "convert": [],
        "embed": ["--model", files / "m.model"],
        "train": ["--populations", files / "labels.tsv"],
    }[command]
    out = tmp_path / "out"
    assert_refused(capsys, out, command, source, "-o", out / "x.h5", *more, says=BAD_CALLS[text])


def test_bad_input__several_alternate_alleles(files, tmp_path, capsys):
    def edit(lines):
        cells = lines[-1].split("\t")
        return [*lines[:-1], "\t".join([*cells[:4], "C,G", *cells[5:]])]

    out = tmp_path / "out"
    assert_refused(capsys, out, "convert", edited(files, edit), "-o", out / "x.h5", says="bcftools norm -m-")


def test_bad_input__truncated_gzip(files, tmp_path, capsys):
    out, source = tmp_path / "out", files / "cut.vcf.gz"
    bgzf = (files / "panel.vcf.gz").read_bytes()
    plain = gzip.compress(gzip.decompress(bgzf))
    for cut in (bgzf[: len(bgzf) // 2], bgzf[:-40], plain[:-30]):
        source.write_bytes(cut)
        assert_refused(capsys, out, "compress", source, "-o", out / "x.hlm", says="cut.vcf.gz")


def test_bad_input__positions_go_back(files, tmp_path, capsys):
    out = tmp_path / "out"
    source = edited(files, lambda lines: [*lines[:-2], lines[-1], lines[-2]])
    assert_refused(capsys, out, "convert", source, "-o", out / "x.h5", says="bcftools sort")


def test_bad_input__people_the_table_does_not_know(files, tmp_path, capsys):
    out = tmp_path / "out"
    lines = (files / "labels.tsv").read_text().splitlines()
    (files / "few.tsv").write_text("\n".join(lines[:20]) + "\n")
    command = ["train", files / "panel.vcf.gz", "--populations", files / "few.tsv", "-o", out / "m"]
    assert_refused(capsys, out, *command, says="P19")


def test_bad_input__a_model_for_other_sites(files, tmp_path, capsys, two_populations):
    out = tmp_path / "out"
    write_panel(two_populations.select_sites(slice(100)), files / "few.vcf")
    for command in ("embed", "classify"):
        arguments = [command, files / "few.vcf", "--model", files / "m.model", "-o", out / "x"]
        assert_refused(capsys, out, *arguments, says="100 of the model's 300 sites (33.3 %) are among the 100 here")


def test_embed_and_classify__absent_sites_are_missing(files, tmp_path, capsys, two_populations):
    write_panel(two_populations.select_sites(slice(0, None, 3)), files / "third.vcf")
    for command in ("embed", "classify"):
        out = tmp_path / f"{command}.tsv"
        arguments = [command, files / "third.vcf", "--model", files / "m.model", "-o", out]
        assert call(*arguments) == 3
        assert "or accept fewer with --min-coverage" in capsys.readouterr().err
        assert call(*arguments, "--min-coverage", "0.3") == 0
        assert "200 are absent" in capsys.readouterr().err
        assert len(out.read_text().splitlines()) == 121


def test_bad_input__regions_leave_too_few_of_the_models_sites(files, tmp_path, capsys, two_populations):
    out = tmp_path / "out"
    middle = two_populations.variants.position_bp[160]
    for command in ("embed", "classify"):
        arguments = [command, files / "panel.vcf.gz", "--model", files / "m.model", "-o", out / "x", "-r"]
        assert_refused(capsys, out, *arguments, f"22:{middle}-", says="Sites that -r, -R, --maf and --sites leave out")


def test_bad_input__absent_extra(files, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    for module in [name for name in sys.modules if name.startswith(("haploom.models", "haploom.training"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    command = ["embed", files / "panel.vcf", "--model", files / "m.model", "-o", out / "x"]
    assert_refused(capsys, out, *command, says="pip install 'haploom[models]'")
    command = ["train", files / "panel.vcf", "--populations", files / "labels.tsv", "-o", out / "x"]
    assert_refused(capsys, out, *command, says="pip install 'haploom[models]'")
    monkeypatch.setitem(sys.modules, "msprime", None)
    assert_refused(capsys, out, "simulate", "-o", out / "x.vcf", says="pip install 'haploom[simulate]'")


def test_bad_input__not_a_model_and_not_an_archive(files, tmp_path, capsys):
    out = tmp_path / "out"
    assert_refused(capsys, out, "inspect", files / "panel.vcf", says="neither a Haploom archive nor")
    command = ["embed", files / "panel.vcf", "--model", files / "panel.vcf", "-o", out / "x"]
    assert_refused(capsys, out, *command, says="not a Haploom model")


def test_outputs__existing_ones_are_kept(files, tmp_path, capsys):
    target = tmp_path / "x.hlm"
    target.write_text("mine")
    assert call("compress", files / "panel.vcf", "-o", target) == 3
    assert target.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert call("compress", files / "panel.vcf", "-o", target, "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out)["total_bytes"] == target.stat().st_size


def test_outputs__failed_work_keeps_the_old_file(files, tmp_path):
    target = tmp_path / "x.hlm"
    target.write_text("mine")
    source = files / "cut.vcf.gz"
    source.write_bytes((files / "panel.vcf.gz").read_bytes()[:-40])
    assert call("compress", source, "-o", target, "--force") == 3
    assert target.read_text() == "mine"


def test_exit_codes__usage(capsys):
    assert call("compress", "nowhere.vcf", "-o", "x") == 2
    assert "nowhere.vcf" in capsys.readouterr().err
    assert call("train") == 2


def test_exit_codes__a_failed_check(files, tmp_path, two_populations):
    archive = tmp_path / "x.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    assert call("verify", archive, "--against", files / "panel.vcf") == 0
    write_panel(two_populations.select_samples(two_populations.samples[::-1]), files / "turned.vcf")
    assert call("verify", archive, "--against", files / "turned.vcf") == 4


def test_exit_codes__a_bug_keeps_its_traceback(monkeypatch, files):
    monkeypatch.setattr("haploom.archive.open_archive", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("verify", files / "panel.vcf")


def test_exit_codes__interrupt(monkeypatch, files):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("haploom.archive.open_archive", interrupt)
    assert call("verify", files / "panel.vcf") == 130


def test_pipe__closed_early_is_quiet(files):
    archive = files / "x.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    program = "from haploom.cli import main; import sys; sys.argv = ['haploom', *sys.argv[1:]]; main()"
    run = [sys.executable, "-c", program, "view", archive]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as view:
        view.stdout.read(20)
        view.stdout.close()
        assert view.stderr.read() == b""
    assert view.returncode == 0


def test_round_trip__every_byte_of_a_vcf(files, tmp_path):
    archive, again = tmp_path / "a.hlm", tmp_path / "again.vcf"
    # The second was written a little later, and its header says when.
    for name, codec, opened in (("panel.vcf", "vae+rle", open), ("panel.vcf.gz", "statistical", gzip.open)):
        source = files / name
        with opened(source, "rb") as file:
            wanted = file.read()
        options = ["--codec", codec, "-o", archive, "--force"]
        model = ["--model", files / "m.model"] if codec == "vae+rle" else []
        assert call("compress", source, *options, *model) == 0
        assert call("decompress", archive, "-o", again, "--force") == 0
        assert again.read_bytes() == wanted


def test_compress__any_call_is_kept_but_by_the_network(files, tmp_path, capsys):
    source = edited(files, lambda lines: with_call(lines, "./1"))
    assert call("compress", source, "-o", tmp_path / "a.hlm") == 0
    assert call("decompress", tmp_path / "a.hlm", "-o", tmp_path / "a.vcf") == 0
    assert (tmp_path / "a.vcf").read_bytes() == source.read_bytes()
    capsys.readouterr()
    command = ["compress", source, "--codec", "vae+rle", "--model", files / "m.model", "-o", tmp_path / "out" / "x.hlm"]
    assert_refused(capsys, tmp_path / "out", *command, says="--codec statistical")


def test_startup__help_and_import_are_light():
    heavy = ("torch", "numba", "pysam", "h5py", "sklearn", "matplotlib", "msprime", "pydantic", "scipy")
    program = (
        "import sys\nimport haploom as hl\nfrom haploom.cli.frame import run\nfrom haploom.cli.main import haploom\n"
        f"run(haploom, ['--help'])\nassert not [m for m in {heavy!r} if m in sys.modules]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize("command", ["compress", "synthesize", "train", "simulate", "breed", "bench"])
def test_stdout__is_refused_where_there_is_no_stream_to_write(files, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    labelled = [files / "panel.vcf", "--populations", files / "labels.tsv"]
    more = {
        "compress": [files / "panel.vcf"],
        "synthesize": ["--model", files / "m.model", "-n", "1"],
        "simulate": [],
        "breed": [*labelled, "--generations", 1],
        "bench": ["classify", *labelled, "--model", files / "m.model"],
    }.get(command, labelled)
    assert call(command, *more, "-o", "-") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("command", ["embed", "classify", "split"])
def test_stdout__takes_a_table_and_stderr_the_summary(files, tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    more = ["--populations", files / "labels.tsv"] if command == "split" else ["--model", files / "m.model"]
    assert call(command, files / "panel.vcf", *more, "-o", tmp_path / "table.tsv") == 0
    summary = capsys.readouterr().out
    assert summary
    assert call(command, files / "panel.vcf", *more, "-o", "-") == 0
    printed = capsys.readouterr()
    assert printed.out == (tmp_path / "table.tsv").read_text()
    assert printed.err.endswith(summary)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "table.tsv"]


@pytest.mark.parametrize(
    "command", [["inspect"], ["verify"], ["view"], ["decompress", "-o", "x.vcf"]], ids=lambda c: c[0]
)
def test_stdin__is_refused_where_a_file_is_read_more_than_once(command):
    assert call(*command, "-") == 2


def test_view__a_contig_that_is_not_there(files, tmp_path, capsys):
    archive = files / "panel.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    capsys.readouterr()
    assert_refused(capsys, tmp_path / "out", "view", archive, "-r", "7:1-100", says="no contig '7'")


def test_classify__agreement_is_with_the_level_the_model_learned(files, tmp_path, capsys, two_populations):
    labels = {"superpopulation": ["everybody"] * 60, **two_populations.populations}
    write_populations(files / "two.tsv", two_populations.samples, labels)
    command = ["classify", files / "panel.vcf", "--model", files / "m.model", "--populations", files / "two.tsv"]
    agreed = []
    for level in ([], ["--label", "population"]):
        assert call(*command, *level, "--force", "--json", "-o", tmp_path / "labels.tsv") == 0
        agreed.append(json.loads(capsys.readouterr().out)["accuracy"]["value"])
    assert agreed[0] == agreed[1] > 0.5


@pytest.mark.parametrize("command", [["classify"], ["bench", "classify"]], ids=" ".join)
def test_labels__other_than_the_models_are_refused(files, tmp_path, capsys, two_populations, command):
    out, table = tmp_path / "out", files / "other.tsv"
    command = [*command, files / "panel.vcf", "--model", files / "m.model", "--populations", table, "-o", out / "x"]
    spelt = [f"{label}ern" for label in two_populations.labels("population").tolist()]
    write_populations(table, two_populations.samples, {"population": spelt})
    assert_refused(capsys, out, *command, says="northern, southern; it knows north, south")
    write_populations(table, two_populations.samples, {"superpopulation": spelt, **two_populations.populations}, True)
    assert_refused(capsys, out, *command, "--label", "superpopulation", says="are of column 'population'")
    write_populations(table, two_populations.samples, {"superpopulation": spelt}, True)
    assert_refused(capsys, out, *command, says="no such labels (there is: superpopulation)")


def test_classify__labels_are_needed_for_agreement_alone(files, tmp_path, capsys):
    """People the model knows nothing of get labels all the same."""
    assert call("classify", files / "panel.vcf", "--model", files / "m.model", "-o", tmp_path / "x", "--json") == 0
    assert "accuracy" not in json.loads(capsys.readouterr().out)


def test_contigs__named_with_chr_match_a_model_without(files, tmp_path, capsys):
    plain = (files / "panel.vcf").read_text()
    (files / "chr.vcf").write_text(plain.replace("\n22\t", "\nchr22\t").replace("ID=22,", "ID=chr22,"))
    tables = []
    for name in ("panel.vcf", "chr.vcf"):
        assert call("classify", files / name, "--model", files / "m.model", "-o", tmp_path / name) == 0
        tables.append((tmp_path / name).read_text())
        noted = "the model's contig 22 is taken to mean chr22" in capsys.readouterr().err
        assert noted == (name == "chr.vcf")
    assert tables[0] == tables[1]


def test_inputs__of_the_wrong_kind_say_what_they_are(files, tmp_path, capsys):
    out, archive = tmp_path / "out", files / "x.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    capsys.readouterr()
    embed = ["embed", "--model", files / "m.model", "-o", out / "x"]
    assert_refused(capsys, out, *embed, archive, says="is a Haploom archive, not genotypes: decompress it first")
    assert_refused(capsys, out, *embed, files / "m.model", says="is a model, not genotypes")
    command = ["embed", files / "panel.vcf", "-o", out / "x", "--model", archive]
    assert_refused(capsys, out, *command, says="is a Haploom archive, not a model")
    assert_refused(capsys, out, "verify", files / "m.model", says="is a model, not an archive")


def test_synthesize__a_population_named_twice_is_made_once(files, tmp_path, capsys):
    twice = ["--population", "north", "--population", "north"]
    command = ["synthesize", "--model", files / "m.model", *twice, "-n", 2, "-o", tmp_path / "new.vcf", "--json"]
    assert call(*command) == 0
    assert json.loads(capsys.readouterr().out)["people"] == 2


def test_synthesize__populations_with_commas(files, tmp_path, capsys):
    command = ["synthesize", "--model", files / "m.model", "-n", 2, "-o", tmp_path / "new.vcf", "--json"]
    assert call(*command, "--population", "south,north") == 0
    assert json.loads(capsys.readouterr().out)["people"] == 4


def test_synthesize__labels_that_exist_are_told_before_anything_is_written(files, tmp_path, capsys):
    labels = tmp_path / "new.populations.tsv"
    labels.write_text("mine\n")
    assert call("synthesize", "--model", files / "m.model", "-n", 1, "-o", tmp_path / "new.vcf") == 3
    assert not (tmp_path / "new.vcf").exists()
    assert labels.read_text() == "mine\n"


def test_embed__a_picture_that_cannot_be_drawn_leaves_nothing(files, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["embed", files / "panel.vcf", "--model", files / "m.model", "-o", out / "z.tsv", "--plot", out / "z.jpg"]
    out.mkdir()
    assert call(*command) == 3
    assert list(out.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_stdout__full_or_closed(files):
    archive = files / "x.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    program = [sys.executable, "-c", "from haploom.cli import main; main()"]
    for command in (["view", archive], ["inspect", archive]):
        with open("/dev/full", "w") as full:
            got = subprocess.run([*program, *command], stdout=full, stderr=subprocess.PIPE, text=True)
        assert got.returncode == 3
        assert got.stderr == "haploom: cannot write the output: No space left on device\n"
        closed = subprocess.run(
            ["sh", "-c", '"$@" >&-', "sh", *program, *map(str, command)], stderr=subprocess.PIPE, text=True
        )
        assert closed.returncode in (0, 3)
        assert "Traceback" not in closed.stderr


def test_exit_codes__an_option_that_is_missing_is_wrong_usage(files, tmp_path, capsys):
    labelled = [files / "panel.vcf", "--populations", files / "labels.tsv"]
    for command, says in (
        (["compress", files / "panel.vcf", "--codec", "vae+rle"], "--model"),
        (["breed", *labelled], "--generations"),
        (["train", files / "panel.vcf"], "--populations"),
        (["classify", *labelled], "--model"),
    ):
        assert call(*command, "-o", tmp_path / "x.vcf") == 2
        assert says in capsys.readouterr().err


def test_inspect__a_model_in_lines_a_person_can_read(files, capsys):
    assert call("inspect", files / "m.model") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert any(line.split() == ["contig_names", "22"] for line in lines)
    assert lines[lines.index("training") + 1].split() == ["epochs_at_most", "15"]


def test_decompress__says_what_it_wrote(files, tmp_path, capsys, two_populations):
    archive = files / "x.hlm"
    assert call("compress", files / "panel.vcf", "-o", archive) == 0
    first, last = two_populations.variants.position_bp[[10, 40]]
    inside = int(
        ((two_populations.variants.position_bp >= first) & (two_populations.variants.position_bp <= last)).sum()
    )
    for name in ("part.vcf", "part.h5"):
        capsys.readouterr()
        command = ["decompress", archive, "-r", f"22:{first}-{last}", "-s", "P02,P01", "-o", tmp_path / name, "--json"]
        assert call(*command) == 0
        about = json.loads(capsys.readouterr().out)
        assert (about["people"], about["sites"]) == (2, inside)


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (["compress", "panel.vcf", "-m", "m.model"], "panel.vcf"),
        (["compress", "panel.vcf", "-m", "m.model"], "m.model"),
        (["decompress", "panel.hlm", "-O", "v"], "panel.hlm"),
        (["convert", "panel.vcf"], "panel.vcf"),
        (["split", "panel.vcf", "--populations", "labels.tsv"], "labels.tsv"),
        (["embed", "panel.vcf", "-m", "m.model"], "m.model"),
        (["classify", "panel.vcf", "-m", "m.model", "--populations", "labels.tsv"], "labels.tsv"),
    ],
    ids=lambda each: " ".join(each[:1]) if isinstance(each, list) else each,
)
def test_outputs__never_replace_an_input(files, monkeypatch, capsys, command, output):
    monkeypatch.chdir(files)
    assert call("compress", "panel.vcf", "-o", "panel.hlm") == 0
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    capsys.readouterr()
    assert call(*command, "-o", output, "--force") == 3
    assert "read by this command" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_outputs__records_are_not_added_to_other_files(files):
    before = (files / "panel.vcf").read_bytes()
    with pytest.raises(HaploomError, match="holds no records"):
        append_records(files / "panel.vcf", [{"a": 1}])
    assert (files / "panel.vcf").read_bytes() == before


@pytest.mark.parametrize("output", [".", ""])
def test_synthesize__output_without_a_name(files, tmp_path, capsys, output):
    assert_refused(
        capsys, tmp_path / "out", "synthesize", "-m", files / "m.model", "-n", "1", "-o", output, says="the format of ."
    )
