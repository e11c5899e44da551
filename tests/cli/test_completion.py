"""Tab completion, as docs/many-machines.md says to set it up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import haploom


@pytest.fixture
def environment(tmp_path):
    """With a `haploom` on the path that is this package."""
    program = tmp_path / "haploom"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from haploom.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    return os.environ | {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(haploom.__file__).parents[1]),
    }


def printed(environment, *command, **variables):
    done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", ["comp", "compress --lev", "reproduce table"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__in_every_shell(environment, shell, words):
    *before, last = words.split()
    typed = {"COMP_WORDS": f"haploom {words}", "COMP_CWORD": str(len(before) + 1)}
    if shell == "fish":  # it gives the word that is being typed
        typed["COMP_CWORD"] = last
    shown = printed(environment, "haploom", _HAPLOOM_COMPLETE=f"{shell}_complete", **typed)
    wanted = {"comp": ["compress"], "--lev": ["--level"], "table": ["table1", "table2", "table3", "table4", "table-s3"]}
    for word in wanted[last]:
        assert word in shown
    assert "decompress" not in shown


def test_completion__set_up_in_bash_as_documented(environment):
    lines = (
        'eval "$(_HAPLOOM_COMPLETE=bash_source haploom)"',
        "COMP_WORDS=(haploom dec); COMP_CWORD=1; _haploom_completion haploom dec haploom",
        'echo "${COMPREPLY[@]}"',
    )
    assert printed(environment, "bash", "-c", "\n".join(lines)).split() == ["decompress"]
