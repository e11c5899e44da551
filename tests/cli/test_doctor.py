"""`haploom doctor` says what is there, and what to install for what is not."""

import json
import shutil

import numpy as np

from haploom.bench import machine
from haploom.cli.frame import run
from haploom.cli.main import haploom


def test_doctor__says_what_is_here(capsys):
    assert run(haploom, ["doctor", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["versions"]["numpy"] == np.__version__
    assert about["free_bytes"]["here"] > 0
    assert about["programs"]["bcftools"] == (shutil.which("bcftools") is not None)


def test_doctor__tells_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(machine.EXTRAS, "plots", ("matplotlib", "a_module_that_is_not_there"))
    assert run(haploom, ["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "a_module_that_is_not_there not installed: pip install 'haploom[plots]'" in printed
