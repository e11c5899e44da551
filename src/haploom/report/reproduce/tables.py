"""What the rows of each table of storage are, and measuring them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.io.model_file import read_model, write_model
from haploom.panel import Panel
from haploom.report.reproduce import storing
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.people import PROTOCOLS, People, Protocol, bred_people, founders_of
from haploom.report.reproduce.rows import Row, RowFile


def protocol_of(wanted: Request) -> Protocol:
    """How large it is."""
    return PROTOCOLS[wanted.size]


def settings_of(wanted: Request) -> dict[str, object]:
    """What rows of another run must have in common with these."""
    return {
        "table": wanted.name, "protocol": asdict(protocol_of(wanted)), "seed": wanted.seed, "label": wanted.label,
        "founders": wanted.origin,
    }  # fmt: skip


def measure_table(wanted: Request, folder: Path) -> list[Row]:
    """All rows of a table, those of an earlier run in `folder` taken as they are.

    folder: holds `rows-TABLE.jsonl` and the models, which a later run uses again.
    """
    file = RowFile(folder / f"rows-{wanted.name}.jsonl", settings_of(wanted))
    rows: list[Row] = []
    with progress.task(f"Measuring {wanted.name}", None) as advance:
        for key, measure in _parts(wanted, folder):
            rows += file.measured(key, measure)
            advance()
    return rows


Part = tuple[str, Callable[[], list[Row]]]


def _parts(wanted: Request, folder: Path) -> Iterator[Part]:
    """Names of parts of the table, and how to measure each."""
    if wanted.name == "table2":
        for n_sites in protocol_of(wanted).subsets:
            yield from _everybody(_Measuring(wanted, _people(wanted, n_sites), folder), n_sites)
    else:
        yield from _populations(_Measuring(wanted, _people(wanted, protocol_of(wanted).sites), folder))


def _populations(measuring: "_Measuring") -> Iterator[Part]:
    """Tables 1 and S3: each population of each test set apart."""
    people, protocol = measuring.people, protocol_of(measuring.wanted)
    kinds = {"cvae": ("cvae+rle",)} if measuring.wanted.name == "table-s3" else {
        "vae": ("vae+rle", "vae"), "pca": ("pca+rle",)
    }  # fmt: skip
    for name, test in people.tests.items():
        for label in people.populations():
            panel, about = _of_label(test, people.level, label), {"data": name, "population": label}
            train = _of_label(people.training_rows, people.level, label)
            yield f"{name} {label} baselines", partial(measuring.baselines, panel, about, train)
            for q in protocol.latents:
                for kind, codecs in kinds.items():
                    profile = "sound" if kind == "pca" else protocol.profile
                    yield f"{name} {label} {kind} {q}", partial(measuring.model, panel, about, kind, profile, codecs, q)


def _everybody(measuring: "_Measuring", n_sites: int) -> Iterator[Part]:
    """Table 2: all populations together."""
    for name, panel in measuring.people.tests.items():
        about = {"data": name, "population": "all"}
        yield f"{name} {n_sites} baselines", partial(measuring.baselines, panel, about)
        for profile in ("paper", "sound"):
            yield (
                f"{name} {n_sites} vqvae {profile}",
                partial(measuring.model, panel, about, "vqvae", profile, tuple(storing.vqvae_codecs())),
            )


@dataclass(frozen=True, eq=False)
class _Measuring:
    """Rows of one reproduction, on its people; models are kept in the folder."""

    wanted: Request
    people: People
    folder: Path

    def baselines(self, panel: Panel, about: Row, of_population: Panel | None = None) -> list[Row]:
        """Everything without latents. of_population: the training people of the same label."""
        found = [*storing.by_general_coders(panel), *storing.by_our_levels(panel)]
        if of_population is not None:
            train = self.people.training_rows
            found += storing.without_latents(panel, train, of_population)
            found += storing.by_frequencies(panel, train, of_population)
        return [row | about | _size(panel) for row in found]

    def model(
        self, panel: Panel, about: Row, kind: str, profile: str, codecs: tuple[str, ...], q: int | None = None
    ) -> list[Row]:
        """A model's codecs."""
        path = self._trained(kind, profile, q)
        found = [row for codec in codecs for row in storing.by_model(panel, path, codec, q)]
        if kind == "pca":
            found += storing.by_pca_without_mean(panel, read_model(path))
        if kind == "vqvae":
            found += storing.by_auto(panel, path)
            found = [row | {"method": f"{row['method']}, {profile} settings"} for row in found]
        return [row | about | _size(panel) for row in found]

    def _trained(self, kind: str, profile: str, q: int | None) -> Path:
        """The model file: that of an earlier run, or trained now."""
        from haploom.training.fit import train_model  # loads torch
        from haploom.training.profiles import profile_of

        people, seed = self.people, self.wanted.seed
        size = "" if q is None else f"-{q}"
        path = self.folder / f"{self.wanted.name}-{kind}-{profile}{size}-{people.train.n_sites}.model"
        if not path.exists():
            config, protocol = profile_of(kind, profile).training, protocol_of(self.wanted)
            config = replace(
                config, epochs=protocol.epochs, least_steps=min(config.least_steps, protocol.least_steps),
                batch_size=protocol.batch_size, seed=seed,
            )  # fmt: skip
            shape = {} if q is None else {"n_latent": q}
            trained = train_model(
                people.train, people.split, people.level, kind=kind, profile=profile, config=config, shape=shape
            )
            write_model(trained.model, path)
        return path


def _size(panel: Panel) -> Row:
    return {"sites": panel.n_sites, "haplotypes": panel.n_haplotypes}


def _of_label(panel: Panel, level: str, label: str) -> Panel:
    chosen = np.flatnonzero(panel.labels(level) == label).tolist()
    return panel.select_samples([panel.samples[person] for person in chosen])


def _people(wanted: Request, n_sites: int) -> People:
    founders, level, origin = founders_of(
        wanted.genotypes, wanted.populations, wanted.label, protocol_of(wanted), wanted.seed, n_sites
    )
    return bred_people(founders, level, origin, protocol_of(wanted), wanted.seed)
