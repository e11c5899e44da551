"""What `haploom demo` does: the commands it runs, in order.

The demo runs nothing else than these commands, in its own folder, so each can be repeated by hand.
"""

import re
import shlex
from dataclasses import dataclass

from haploom.report.demo import files
from haploom.report.demo.cast import Cast

LINE_LENGTH = 88  # of commands on the page
GENERATIONS_SINCE_MIXING = 20
_MIXTURES = {2: (0.6, 0.4), 3: (0.5, 0.3, 0.2)}  # shares of the populations that are mixed
# Test people are the yardstick of synthetic ones, so there must be enough of them.
_FRACTIONS = "0.6,0.1,0.3"


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """How big a demo: the defaults take about four minutes on two free cores.

    people: unrelated founders of each of the seven populations, at `sites` sites of a short stretch. offspring: bred
    people of each population and part. chromosome_mb, reference: a longer stretch and the people of each population
    there, for ancestry; strangers: those of the population that the classifier never sees. mixed: admixed people.
    min_count: copies of the rarer allele at the sites of the longer stretch.
    threads: of the networks and the linear algebra; the weights differ in the last digits between counts.
    """

    sites: int = 2000
    people: int = 100
    generations: int = 2
    offspring: int = 200
    epochs: int = 80
    code_epochs: int = 30
    generator_epochs: int = 30
    made: int = 60
    chromosome_mb: float = 15
    reference: int = 50
    strangers: int = 15
    min_count: int = 20
    mixed: int = 20
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


def demo_steps(settings: DemoSettings, cast: Cast) -> dict[str, Step]:
    """The demo, in order, by short name."""
    seed = ("--seed", str(settings.seed))
    threads = ("--threads", str(settings.threads))
    repeatable = (*seed, "--no-version")
    founders = (files.PANEL, "--populations", files.PANEL_LABELS)
    parts = ("--split", files.SPLIT)
    bred = (files.OFFSPRING, "--populations", files.OFFSPRING_LABELS)
    size = ("--generations", str(settings.generations), "--size", str(settings.offspring))
    on_bred = ("train", *bred, "--split", files.OFFSPRING_SPLIT)
    on_founders = ("train", *founders, *parts)
    measure = ("bench", "classify", *bred, "--model", files.VAE, "--no-tuned", *threads, "-o", files.ACCURACIES)
    held_out = (*parts, "--part", "test")
    steps = {
        "people": Step(
            "Take your people and split them" if cast.source else "Simulate people and split them",
            tuple(_people(settings, cast, seed, repeatable)),
        ),
        "breed": Step("Breed", (("breed", *founders, *parts, *size, *repeatable, "-o", files.OFFSPRING),)),
        "train": Step("Train", (
            (*on_bred, "--epochs", str(settings.epochs), *seed, *threads, "-o", files.VAE),
            (*on_founders, "--kind", "pca", "--latent", "16", *seed, *threads, "-o", files.PCA),
            (*on_bred, "--kind", "vqvae", "--epochs", str(settings.code_epochs), *seed, *threads, "-o", files.VQVAE),
            (*on_founders, "--kind", "autoregressive", "--by-label", "--epochs", str(settings.generator_epochs),
             *seed, *threads, "-o", files.GENERATOR),
        )),
        "map": Step("Map", (
            ("embed", *founders, "--model", files.VAE, "--beside", files.PCA, *threads, "-o", files.COORDINATES,
             "--plot", files.MAP),
        )),
        "classify": Step("Tell ancestry", (
            ("classify", *founders, *held_out, "--model", files.VAE, *threads, "-o", files.LABELS),
            (*measure, "--held-out", files.PANEL, "--held-out-populations", files.PANEL_LABELS, *held_out),
            (*measure, "--part", "test"),
        )),
        "trust": Step("Say unknown", tuple(_trust(cast, seed, threads))),
        "paint": Step("Paint chromosomes", tuple(_paint(settings, cast, repeatable, threads))),
        "store": Step("Store", tuple(_store(founders, threads))),
        "synthesize": Step("Make new people", tuple(_synthesize(settings, founders, repeatable, threads))),
        "audit": Step("Audit them", tuple(
            ("audit", genotypes, "--train", files.PANEL, "--holdout", files.PANEL, *parts, "--populations",
             files.PANEL_LABELS, "--populations", labels, "--maf", "0.01", *seed, *threads, "-o", f"{stem}.audit")
            for stem, (genotypes, labels) in files.MADE_FILES.items()
        )),
    }  # fmt: skip
    return {name: step for name, step in steps.items() if step.commands}


def _people(settings: DemoSettings, cast: Cast, seed: tuple[str, ...], repeatable: tuple[str, ...]) -> list:
    cut = ("--populations", files.PANEL_LABELS, "--fractions", _FRACTIONS, *seed, "-o", files.SPLIT)
    if cast.source:
        return [
            ("convert", cast.source, "-S", files.PEOPLE, "--no-version", "-o", files.PANEL),
            ("split", files.PANEL, *cut),
        ]
    sizes = {name: settings.reference for name in cast.mixed} | {str(cast.stranger): settings.strangers}
    return [
        ("simulate", "--sites", str(settings.sites), "--people", str(settings.people), *repeatable, "-o", files.PANEL),
        ("split", files.PANEL, *cut),
        ("simulate", "--length", str(round(settings.chromosome_mb * 1e6)), "--min-count", str(settings.min_count),
         "--people", ",".join(f"{name}={n}" for name, n in sizes.items()), *repeatable, "-o", files.CHROMOSOME),
        ("split", files.CHROMOSOME, "--populations", files.CHROMOSOME_LABELS, "--fractions", _FRACTIONS, *seed, "-o",
         files.CHROMOSOME_SPLIT),
    ]  # fmt: skip


def _trust(cast: Cast, seed: tuple[str, ...], threads: tuple[str, ...]) -> list:
    genotypes, labels, split = files.wide_files(cast)
    without = ("-S", f"^{files.STRANGERS}") if cast.stranger else ()
    classify = ("classify", genotypes, "-S", files.VISITORS, "--model", files.TRUSTED, *threads)
    return [
        ("train", genotypes, "--populations", labels, "--split", split, *without, "--kind", "ancestry", "--maf",
         "0.05", *seed, *threads, "-o", files.TRUSTED),
        (*classify, "-o", files.VISITOR_LABELS, "--why", files.WHY),
        # Half of the sites are the least that is taken without being told.
        (*classify, "--sites", files.HALF_OF_SITES, "--min-coverage", "0.3", "-o", files.HALF_LABELS),
    ]  # fmt: skip


def _paint(settings: DemoSettings, cast: Cast, repeatable: tuple[str, ...], threads: tuple[str, ...]) -> list:
    if not cast.mixed:
        return []
    genotypes, labels, split = files.wide_files(cast)
    shares = ",".join(f"{name}={share}" for name, share in zip(cast.mixed, _MIXTURES[len(cast.mixed)]))
    return [
        ("breed", genotypes, "--populations", labels, "--split", split, "--part", "test", "--admix",
         f"{shares}@{GENERATIONS_SINCE_MIXING}", "--size", f"{'+'.join(cast.mixed)}={settings.mixed}", *repeatable,
         "--tracks", files.TRACKS, "-o", files.MIXED),
        ("classify", files.MIXED, "--model", files.TRUSTED, *threads, "-o", files.MIXED_CLASSES, "--local-ancestry",
         files.STRETCHES, "--proportions", files.SHARES),
    ]  # fmt: skip


def _store(founders: tuple[str, ...], threads: tuple[str, ...]) -> list:
    part = (*founders, "--split", files.SPLIT, "--part")
    neural = files.ARCHIVES["vae+rle"]
    return [
        *(
            ("compress", files.PANEL, "--codec", codec, *(("--model", model) if model else ()), *threads, "-o",
             files.ARCHIVES[codec])
            for codec, model in files.CODECS.items()
        ),
        ("decompress", neural, "--no-version", *threads, "-o", files.DECODED),
        ("verify", neural, "--against", files.PANEL, *threads),
        ("compress", *part, "train", *threads, "-o", files.REFERENCE),
        ("compress", *part, "test", *threads, "-o", files.ALONE),
        ("compress", *part, "test", "--reference", files.REFERENCE, *threads, "-o", files.BESIDE),
    ]  # fmt: skip


def _synthesize(
    settings: DemoSettings, founders: tuple[str, ...], repeatable: tuple[str, ...], threads: tuple[str, ...]
) -> list:
    sources = (
        ("--model", files.GENERATOR),
        ("--model", files.VAE),
        ("--from", *founders, "--split", files.SPLIT, "--part", "train", "--method", "mosaic"),
    )
    return [
        ("synthesize", *source, "-n", str(settings.made), *repeatable, *threads, "-o", genotypes)
        for source, (genotypes, _) in zip(sources, files.MADE_FILES.values(), strict=True)
    ]


def _broken_before_options(line: str) -> str:
    first, *options = re.split(r" (?=-)", line)
    lines = [first]
    for option in options:
        if len(lines[-1]) + 1 + len(option) <= LINE_LENGTH:
            lines[-1] += f" {option}"
        else:
            lines.append(f"    {option}")
    return " \\\n".join(lines)
