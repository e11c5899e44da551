"""What `haploom demo` does: the commands it runs, in order, and the files they make.

The demo runs nothing else than these commands, in its own folder, so each can be repeated by hand.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from haploom.errors import HaploomError
from haploom.io.output import make_folder

PANEL, PANEL_LABELS, SPLIT = "panel.vcf.gz", "panel.populations.tsv", "split.tsv"
OFFSPRING, OFFSPRING_LABELS, OFFSPRING_SPLIT = "offspring.vcf.gz", "offspring.populations.tsv", "offspring.split.tsv"
MODEL = "model.safetensors"
ARCHIVES = {codec: f"panel.{codec.replace('+', '-')}.hlm" for codec in ("vae+rle", "statistical", "auto")}
DECODED = "decompressed.vcf.gz"
COORDINATES, MAP = "coordinates.tsv", "map.svg"
LABELS, ACCURACIES = "labels.tsv", "accuracies.jsonl"
SYNTHETIC, SYNTHETIC_LABELS = "synthetic.vcf.gz", "synthetic.populations.tsv"
RESULTS, REPORT = "results.json", "report.html"

FILES = frozenset({
    PANEL, PANEL_LABELS, SPLIT, OFFSPRING, OFFSPRING_LABELS, OFFSPRING_SPLIT, MODEL, *ARCHIVES.values(), DECODED,
    COORDINATES, MAP, LABELS, ACCURACIES, SYNTHETIC, SYNTHETIC_LABELS, RESULTS, REPORT,
})  # fmt: skip

LINE_LENGTH = 88  # of commands on the page

FOUNDERS_TASK = "held-out founders"
OFFSPRING_TASK = "offspring of held-out founders"


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """How big a demo: the defaults take about a minute on two cores.

    people: unrelated founders of each of the seven populations. offspring: bred people of each population and part.
    threads: of the networks and the linear algebra; the weights differ in the last digits between counts.
    """

    sites: int = 2000
    people: int = 100
    generations: int = 2
    offspring: int = 200
    epochs: int = 80
    seed: int = 1
    threads: int = 2


@dataclass(frozen=True)
class Step:
    """A piece of the demo: its name and the arguments of each `haploom` command, run in the demo's folder."""

    name: str
    commands: tuple[tuple[str, ...], ...]

    @property
    def shell(self) -> str:
        """The commands as one would type them, a line each."""
        return "\n".join(shlex.join(["haploom", *command]) for command in self.commands)

    @property
    def shell_in_lines(self) -> str:
        """The same for a page: long commands are broken before an option, as a shell takes it."""
        return "\n".join(map(_broken_before_options, self.shell.splitlines()))


def demo_steps(settings: DemoSettings) -> dict[str, Step]:
    """The demo, in order, by short name."""
    seed = ("--seed", str(settings.seed))
    threads = ("--threads", str(settings.threads))
    repeatable = (*seed, "--no-version")
    founders = (PANEL, "--populations", PANEL_LABELS)
    bred = (OFFSPRING, "--populations", OFFSPRING_LABELS)
    held_out = ("--split", SPLIT, "--part", "test")
    model = ("--model", MODEL)
    simulate = ("simulate", "--sites", str(settings.sites), "--people", str(settings.people), *repeatable, "-o", PANEL)
    size = ("--generations", str(settings.generations), "--size", str(settings.offspring))
    compress = [
        ("compress", PANEL, "--codec", codec, *(() if codec == "statistical" else model), "-o", archive)
        for codec, archive in ARCHIVES.items()
    ]
    neural = ARCHIVES["vae+rle"]
    measure = ("bench", "classify", *bred, *model, "--no-tuned", *threads, "-o", ACCURACIES)
    return {
        "people": Step("Simulate founders and split them", (simulate, ("split", *founders, *seed, "-o", SPLIT))),
        "breed": Step("Breed", (("breed", *founders, "--split", SPLIT, *size, *repeatable, "-o", OFFSPRING),)),
        "train": Step("Train", (
            ("train", *bred, "--split", OFFSPRING_SPLIT, "--epochs", str(settings.epochs), *seed, *threads,
             "-o", MODEL),
        )),
        "store": Step("Store", (
            *compress, ("decompress", neural, "--no-version", "-o", DECODED), ("verify", neural, "--against", PANEL),
        )),
        "map": Step("Map", (("embed", *founders, *model, "-o", COORDINATES, "--plot", MAP),)),
        "classify": Step("Tell ancestry", (
            ("classify", *founders, *held_out, *model, "-o", LABELS),
            (*measure, "--held-out", PANEL, "--held-out-populations", PANEL_LABELS, *held_out),
            (*measure, "--part", "test"),
        )),
        "synthesize": Step("Simulate new people", (
            ("synthesize", *model, "-n", str(settings.people), *repeatable, "-o", SYNTHETIC),
        )),
    }  # fmt: skip


def _broken_before_options(line: str) -> str:
    first, *options = re.split(r" (?=-)", line)
    lines = [first]
    for option in options:
        if len(lines[-1]) + 1 + len(option) <= LINE_LENGTH:
            lines[-1] += f" {option}"
        else:
            lines.append(f"    {option}")
    return " \\\n".join(lines)


def prepare_folder(folder: Path, force: bool) -> None:
    """Make the folder, or, with `force`, take an earlier demo's files out of it.

    Raises HaploomError when there is an earlier demo and not `force`, or anything that is no demo's.
    """
    if folder.exists() and not folder.is_dir():
        raise HaploomError(f"{folder} is a file: name a folder for the demo with -o")
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if strangers := [name for name in found if name not in FILES]:
        raise HaploomError(
            f"{folder} holds files that are not of a demo (the first: {strangers[0]}): choose another folder with -o"
        )
    if found and not force:
        raise HaploomError(f"{folder} holds an earlier demo: pass --force to replace it, or choose another with -o")
    make_folder(folder)
    for name in found:
        (folder / name).unlink()
