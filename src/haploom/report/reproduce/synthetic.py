"""People that models made up, beside the founders they shall be like: what Figures 5, 6, S1, S9 and S10 compare.

As in the paper: founders are split, bred, and models learn from the offspring of the training founders; as many people
are made of each population as there are founders of it. Models are kept in the folder and shared by these figures.
"""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from haploom.io.model_file import ModelFile, read_model, write_model
from haploom.panel import PARTS, Panel, split_people
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.people import PROTOCOLS, People, bred_people, founders_of
from haploom.report.reproduce.rows import RowFile
from haploom.synthesis import synthesize_panel

FOUNDERS = "founders"
PAPER_METHODS = {"vae": "VAE", "cvae": "C-VAE", "yvae": "Y-VAE"}
_NAMES = {**PAPER_METHODS, "autoregressive": "autoregressive, by label (ours)", "gmmn": "GMMN"}
# Fewer bred people than the tables of storage take: four networks are trained, one of them seven times over.
SIZES = {
    "quick": replace(PROTOCOLS["quick"], sites=500, train_haplotypes=700, epochs=15),
    "standard": replace(PROTOCOLS["standard"], train_haplotypes=5600, epochs=30),
    "full": PROTOCOLS["full"],
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Founders, people bred from them, and models trained on these."""

    request: Request
    folder: Path

    @cached_property
    def _founders(self) -> tuple[Panel, str, str]:
        asked, size = self.request, SIZES[self.request.size]
        return founders_of(asked.genotypes, asked.populations, asked.label, size, asked.seed, size.sites)

    @property
    def founders(self) -> Panel:
        return self._founders[0]

    @property
    def level(self) -> str:
        return self._founders[1]

    @cached_property
    def bred(self) -> People:
        """Offspring of the training and validation founders."""
        return bred_people(*self._founders, SIZES[self.request.size], self.request.seed)

    @cached_property
    def founders_by_part(self) -> dict[str, Panel]:
        """The split that was bred: `bred_people` splits in the same way."""
        split = split_people(
            self.founders.samples, self.founders.labels(self.level).tolist(), seed=self.request.seed
        )  # fmt: skip
        return {part: self.founders.select_samples(split.samples(part, self.founders.samples)) for part in PARTS}

    @property
    def about(self) -> str:
        """What was done, for the page."""
        size = SIZES[self.request.size]
        return (
            f"Founders: {self._founders[2]}, {self.founders.n_samples:,} people. Models learned from "
            f"{self.bred.training_rows.n_haplotypes:,} haplotypes bred from 80 % "
            f"of the founders ({size.profile} settings, at most {size.epochs} epochs). As many people were made of "
            "each population as there are founders."
        )

    def model(self, kind: str) -> ModelFile:
        """That of an earlier run in the folder, or trained now. Raises HaploomError for a folder of other settings."""
        settings = {
            "protocol": asdict(SIZES[self.request.size]), "seed": self.request.seed, "label": self.request.label,
            "founders": self.request.origin,
        }  # fmt: skip
        path = self.folder / f"synthetic-{kind}.model"
        rows = RowFile(self.folder / "synthetic.jsonl", settings)
        if not path.exists():
            rows.rows.pop(kind, None)
        rows.measured(kind, lambda: [{"parameters": self._train(kind, path)}])
        return read_model(path)

    def _train(self, kind: str, path: Path) -> int:
        from haploom.training.fit import train_model  # loads torch
        from haploom.training.profiles import profile_of

        size, people = SIZES[self.request.size], self.bred
        has = profile_of(kind, "sound" if kind == "autoregressive" else size.profile)
        config = replace(has.training, epochs=size.epochs, least_steps=0, seed=self.request.seed)
        shape = {**has.shape, **({"n_labels": len(people.populations())} if kind in ("autoregressive", "gmmn") else {})}
        model = train_model(people.train, people.split, people.level, kind=kind, config=config, shape=shape).model
        write_model(model, path, force=True)
        return sum(int(np.size(array)) for name, array in model.arrays.items() if name.startswith("weights."))

    def made(self, kind: str, sampled: bool = False) -> Panel:
        """As many people of each population as founders, by a model."""
        labels = self.founders.labels(self.level)
        counts = {label: int((labels == label).sum()) for label in sorted(set(labels.tolist()))}
        people = synthesize_panel(
            self.model(kind), list(counts), max(counts.values()), self.request.seed, sampled=sampled,
            latents="prior" if kind in ("cvae", "yvae") else None,  # as the paper draws them
        )  # fmt: skip
        return people.select_samples(
            [name for label, n in counts.items() for name in _of_label(people, self.level, label)[:n]]
        )

    def everybody(self, kinds: tuple[str, ...] = tuple(_NAMES)[:4]) -> dict[str, Panel]:
        """Name -> people: founders first, then those of each kind of model, decided as in the paper, and sampled."""
        people = {FOUNDERS: self.founders}
        for kind in kinds:
            people[_NAMES[kind]] = self.made(kind)
            if kind in PAPER_METHODS:
                people[f"{_NAMES[kind]}, sampled"] = self.made(kind, sampled=True)
        return people

    def per_haplotype(self, panel: Panel) -> np.ndarray:
        """Labels of a panel's haplotypes."""
        return panel.labels(self.level, per="haplotype")


def _of_label(panel: Panel, level: str, label: str) -> list[str]:
    return [panel.samples[person] for person in np.flatnonzero(panel.labels(level) == label)]
