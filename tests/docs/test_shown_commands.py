"""Every command that a page shows is one that there is: its options, their values and what is required.

Whether commands do what the pages say, test_documented_commands.py tries with those that can be run as printed; the
others (placeholders for files, clusters, hours of training) are parsed only.
"""

import re
import shlex
from pathlib import Path

import pytest
import rich_click as click

from haploom.cli.main import haploom

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(?=haploom )((?:.*\\\n)*.*)$", re.MULTILINE)
NOT_SHELL = ("python", "text", "json")
SHELL_WORDS = {"|", "||", "&&", ";", "&", ">", ">>", "2>", "<"}


def shown(text):
    """The words of each `haploom` command of a page; a part in brackets is taken as given."""
    blocks = [body for language, body in FENCE.findall(text) if language not in NOT_SHELL]
    blocks += INDENTED.findall(FENCE.sub("", text))
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        words = shlex.split(re.sub(r"\[(.*?)\]", r"\1", line), comments=True)
        for place, word in enumerate(words):
            if word == "haploom" and (place == 0 or words[place - 1] in ("&&", "--no-python")):
                ends = [i for i, each in enumerate(words) if i > place and (each in SHELL_WORDS or each[-1:] == ";")]
                yield words[place + 1 : min(ends, default=len(words))]


def parsed(words):
    """The command with its arguments; raises click's errors. Files need not be there."""
    command, context = haploom, None
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        context = click.Context(command, parent=context, info_name=name)
        command = found
    return command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shown_commands__can_be_given(page, monkeypatch):
    monkeypatch.setattr(click.Path, "convert", lambda self, value, parameter, context: Path(value))
    for words in shown(page.read_text()):
        try:
            parsed(words)
        except click.UsageError as error:
            pytest.fail(f"haploom {shlex.join(words)}: {error.format_message()}")


def test_shown_commands__are_found():
    fenced = "```sh no-test\nhaploom inspect a.hlm | head  # what is in it\n```\n"
    page = fenced + "text\n\n    haploom verify a.hlm \\\n        --json\n    haploom doctor\n"
    assert list(shown(page)) == [["inspect", "a.hlm"], ["verify", "a.hlm", "--json"], ["doctor"]]
    assert sum(len(list(shown(page.read_text()))) for page in PAGES) > 100


@pytest.mark.parametrize("words", [["compress", "a.vcf"], ["embed", "a.vcf", "-o", "z", "-m", "m", "--plots", "z.png"]])
def test_shown_commands__wrong_ones_are_told(words, monkeypatch):
    monkeypatch.setattr(click.Path, "convert", lambda self, value, parameter, context: Path(value))
    with pytest.raises(click.UsageError):
        parsed(words)
