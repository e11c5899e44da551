"""What made a result goes into JSON, whatever was typed."""

import json
import sys

import pytest

from haploom.provenance import record


def test_record__file_names_that_are_not_utf8(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/bin/haploom", "compress", "l\udce9.vcf", "-o", "a b.hlm"])
    assert json.loads(json.dumps(record(), ensure_ascii=False).encode())["command"] == (
        r"haploom compress 'l\xe9.vcf' -o 'a b.hlm'"
    )


def test_record__the_command_however_it_was_started(monkeypatch):
    for program, command in (
        ("/usr/bin/haploom", "haploom doctor"),
        ("/lib/python/haploom/__main__.py", "haploom doctor"),
        ("/lib/python/pytest/__main__.py", "(python)"),
        ("-c", "(python)"),
    ):
        monkeypatch.setattr(sys, "argv", [program, "doctor"])
        assert record()["command"] == command


@pytest.mark.parametrize(
    "typed",
    [
        ["--threads", "2", "x.vcf", "--workers=3", "-q", "-o", "x.hlm"],
        ["x.vcf", "-o", "x.hlm", "--dask", "tcp://h:1", "--memory", "2G", "--json", "--quiet", "--workers"],
    ],
)
def test_record__what_only_says_how_the_work_is_done_is_left_out(monkeypatch, typed):
    monkeypatch.setattr(sys, "argv", ["/bin/haploom", "compress", *typed])
    assert record()["command"] == "haploom compress x.vcf -o x.hlm"
