"""`haploom bench compress`: what is measured, what is compared, and what is said of tools that fail."""

import json
import shutil
import sys

import pytest

from haploom.bench import compress as module
from haploom.bench.compress import choose_tools, compress_records, table
from haploom.bench.processes import ToolError, run_measured
from haploom.bench.records import read_records
from haploom.bench.tools import TOOLS, Tool
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.errors import HaploomError
from haploom.io import write_panel


@pytest.fixture
def vcf(two_populations, tmp_path):
    path = tmp_path / "panel.vcf"
    write_panel(two_populations, path)
    return path


def tool(pack, unpack="cp out back", source="in.vcf", **settings):
    return Tool(name="mock", source=source, pack=pack, unpack=unpack, version="echo mock 1.2.3", **settings)


def only(records):
    (record,) = records
    return record


@pytest.mark.parametrize(
    ("unpack", "kept"),
    [
        ("cp out back", "text"),
        ("sed -e s/^##.*/##gone/ out > back", "alleles"),
        ("sed -e '$s/^22\\t\\([0-9]*\\)\\t[^\\t]*/22\\t\\1\\trs7/' out > back", "alleles"),
        ("sed -e 's/0|0/0|0:7/;s/\\tGT\\t/\\tGT:DP\\t/' out > back", "alleles"),
        ("sed -e '$s/0|/1|/' out > back", "nothing"),
        ("sed -e '$d' out > back", "nothing"),
        ("sed -e '$s/^22\\t[0-9]*/22\\t1/' out > back", "nothing"),
    ],
)
def test_compress_records__says_what_came_back(vcf, unpack, kept):
    record = only(compress_records(vcf, [tool("cp in.vcf out", unpack)], repeats=1))
    assert (record["kept"], record["verified"]) == (kept, kept != "nothing")


def test_compress_records__figures(vcf, two_populations):
    """A tool that stores the packed haplotypes as they are: all its bytes are genotype bytes, and known."""
    mock = tool("cp in.bits out", source="in.bits", genotype_file="out")
    record = only(compress_records(vcf, [mock], repeats=3, threads=2))
    assert record["output_bytes"] == record["genotype_bytes"] == two_populations.bits.nbytes
    assert (record["kept"], record["version"], record["threads"]) == ("haplotypes", "1.2.3", 2)
    assert record["text_bytes"] == vcf.stat().st_size
    assert record["input_u8_bytes"] == two_populations.n_sites * two_populations.n_haplotypes
    assert [len(record[key]) for key in ("encode_s", "decode_s", "encode_peak_rss_mib")] == [3, 3, 3]


def test_compress_records__a_change_in_one_of_the_runs_is_not_verified(vcf, tmp_path):
    seen = tmp_path / "seen"
    twice = f"sh -c 'if [ -e {seen} ]; then head -c 99 out; else cat out; touch {seen}; fi' > back"
    record = only(compress_records(vcf, [tool("cp in.vcf out", twice)], repeats=2))
    assert (record["kept"], record["verified"]) == ("nothing", False)


def test_compress_records__a_tool_that_fails_is_left_out(vcf, caplog):
    failing = tool("sh -c 'echo no memory >&2; exit 3'")
    assert list(compress_records(vcf, [failing], repeats=2)) == []
    assert "status 3: no memory" in caplog.text
    assert len(caplog.records) == 1


def test_compress_records__packed_haplotypes_need_a_panel(vcf, tmp_path, caplog):
    unphased = tmp_path / "unphased.vcf"
    unphased.write_text(vcf.read_text().replace("0|1", "0/1"))
    tools = [tool("cp in.bits out", source="in.bits"), tool("cp in.vcf out")]
    assert only(compress_records(unphased, tools, repeats=1))["kept"] == "text"
    assert str(unphased) in caplog.text


def test_compress_records__only_vcf_and_bcf(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "panel.h5")
    with pytest.raises(HaploomError, match="haploom convert"):
        next(compress_records(tmp_path / "panel.h5", []))


def test_run_measured__memory_is_of_the_program_alone(tmp_path):
    """This process holds more than the small one may show, and the large one takes 200 MiB."""
    held = bytearray(300 << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    small = run_measured("true", tmp_path)
    large = run_measured(f"{sys.executable} -c 'len(b\"x\" * (200 << 20))'", tmp_path)
    assert small.peak_rss_mib < 100 < 200 <= large.peak_rss_mib < 300
    with pytest.raises(ToolError, match="ended with status"):
        run_measured("no-such-program-at-all", tmp_path)


def test_choose_tools__names():
    assert [chosen.name for chosen in choose_tools(["haploom-max", "haploom-fast"])] == ["haploom-max", "haploom-fast"]
    with pytest.raises(HaploomError, match="unknown tools nonsense: wanted some of haploom-fast"):
        choose_tools(["nonsense"])


def test_choose_tools__only_what_is_installed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None if name in ("zpaq", "java") else name)
    names = {chosen.name for chosen in choose_tools()}
    assert {"haploom-fast", "haploom-default", "haploom-max", "gzip"} <= names
    assert not {"zpaq-m3", "zpaq-bits", "bref3"} & names
    with pytest.raises(HaploomError, match="not installed: zpaq-bits"):
        choose_tools(["zpaq-bits"])


@pytest.mark.parametrize("other", [tool for tool in TOOLS if not tool.name.startswith("haploom")], ids=lambda t: t.name)
def test_tools__give_back_what_they_were_given(vcf, other):
    """The lines of shell are right for the programs as they are installed here."""
    if not other.is_installed():
        pytest.skip(f"needs {', '.join((*other.programs, *other.needs))}")
    record = only(compress_records(vcf, [other], repeats=1))
    by_format = other.name in ("plink2", "bref3", "bcftools-l6", "bcftools-l9")  # those that do not keep bytes as such
    assert record["kept"] == ("alleles" if by_format else "haplotypes" if other.source == "in.bits" else "text")
    assert record["version"] != "unknown"
    assert 0 < record["output_bytes"] < record["text_bytes"]


def test_bench_compress__ours_from_the_command_line(vcf, tmp_path, capsys):
    out = tmp_path / "records.jsonl"
    command = ["bench", "compress", str(vcf), "-o", str(out), "--repeats", "1", "--threads", "1"]
    assert run(program, [*command, "--tools", "haploom-fast", "--json"]) == 0
    (record,) = read_records(out)
    assert json.loads(capsys.readouterr().out) == [record]
    assert record["kept"] == "text"
    assert 0 < record["genotype_bytes"] < record["output_bytes"]
    assert record["pack"] == "haploom compress in.vcf -o out.hlm --level fast --no-verify --threads 1"
    assert str(tmp_path) not in json.dumps(record)


def test_bench_compress__files_at_once_are_those_one_after_another(vcf, two_populations, tmp_path, capsys):
    write_panel(two_populations.select_sites(slice(0, 50)), tmp_path / "few.vcf")
    same = ("task", "tool", "output_bytes", "kept", "text_bytes")
    printed = []
    for workers in ("1", "2"):
        records = tmp_path / f"{workers}.jsonl"
        command = ["bench", "compress", str(vcf), str(tmp_path / "few.vcf"), "-o", str(records), "--tools", "gzip"]
        assert run(program, [*command, "--repeats", "1", "--workers", workers, "--json"]) == 0
        assert read_records(records) == json.loads(capsys.readouterr().out)
        printed.append([[record[name] for name in same] for record in read_records(records)])
    assert printed[0] == printed[1]
    assert [row[0] for row in printed[0]] == ["compress/panel.vcf", "compress/few.vcf"]


def test_table__medians_and_the_worst_memory():
    record = {
        "tool": "mock", "output_bytes": 12345, "genotype_bytes": None, "encode_s": [9, 1, 2], "decode_s": [1, 1, 4],
        "encode_peak_rss_mib": [5, 6], "decode_peak_rss_mib": [7, 3], "kept": "text",
    }  # fmt: skip
    assert table([record])[1] == ["mock", "12,345", "-", "2.00", "1.00", "7", "text"]


def test_compress_records__leaves_no_files(vcf, tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    list(compress_records(vcf, [tool("cp in.vcf out")], repeats=1))
    assert list((tmp_path / "temporary").iterdir()) == []
