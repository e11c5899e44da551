"""Two ways to train each kind of model: the published settings, and what works best on validation people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from haploom.errors import HaploomError
from haploom.training.config import TrainingConfig


@dataclass(frozen=True)
class Profile:
    """The shape of a model (settings of its config) and how it is trained."""

    training: TrainingConfig
    shape: Mapping[str, Any] = field(default_factory=dict)


# Geleta et al. 2026, Table 1; the batch follows from public facts about the study.
_PAPER = TrainingConfig(
    epochs=1000, batch_size=128, learning_rate=1e-4, schedule="constant", crossovers_per_mb=0, patience=50
)
# The window of its Table 2. The article has no windowed model without quantising: the rest is the VQ-VAE's shape.
_PAPER_WINDOWS = {"window": 2500, "n_latent": 512, "hidden": (1250,), "decoder_hidden": (1250,)}
_PAPER_VQ = TrainingConfig(
    epochs=1000,
    batch_size=128,
    learning_rate=0.025,
    weight_decay=0.01,
    schedule="plateau",
    crossovers_per_mb=0,
    patience=50,
)

# Epochs suit some thousand rows; a small panel's have too few steps to learn in. Steps as of 3,506 rows.
_SOUND = TrainingConfig(epochs=60, least_steps=3300)

_SOUND_AUTOREGRESSIVE = TrainingConfig(
    epochs=20, least_steps=1100, batch_size=64, learning_rate=1.6e-2, rate_warm_up=1, optimizer="adamw",
    weight_decay=0.01, crossovers_per_mb=3,
)  # fmt: skip

_SOUND_DENOISER = TrainingConfig(
    epochs=24, least_steps=1320, batch_size=64, learning_rate=8e-3, rate_warm_up=1, optimizer="adamw",
    weight_decay=0.01, hidden_share=0.95, crossovers_per_mb=4, average=0.98,
)  # fmt: skip

_SOUND_GMMN = TrainingConfig(epochs=100, batch_size=256, learning_rate=2e-3, patience=30)
# Measured on validation people: benchmarks/records/window-settings.jsonl.
_SOUND_WINDOWS = TrainingConfig(epochs=30, least_steps=1650, schedule="cosine")

PROFILES: dict[str, dict[str, Profile]] = {
    "vae": {"paper": Profile(_PAPER), "sound": Profile(_SOUND)},
    "cvae": {"paper": Profile(_PAPER), "sound": Profile(_SOUND)},
    "yvae": {"paper": Profile(_PAPER), "sound": Profile(_SOUND)},
    "window-ae": {"paper": Profile(_PAPER, _PAPER_WINDOWS), "sound": Profile(_SOUND_WINDOWS, {"couple": True})},
    "window-vae": {"paper": Profile(_PAPER, _PAPER_WINDOWS), "sound": Profile(_SOUND_WINDOWS, {"couple": True})},
    "vqvae": {
        "paper": Profile(_PAPER_VQ, {**_PAPER_WINDOWS, "dropout": 0.5, "book_per_window": False, "prior": False}),
        "sound": Profile(_SOUND_WINDOWS, {"n_latent": 16, "codes": 128, "revive_below": 0.1}),
    },
    "autoregressive": {"sound": Profile(_SOUND_AUTOREGRESSIVE)},
    "denoiser": {"sound": Profile(_SOUND_DENOISER)},
    "gmmn": {"paper": Profile(_PAPER, {"n_labels": 0}), "sound": Profile(_SOUND_GMMN)},
    "pca": {"sound": Profile(TrainingConfig())},  # of which only the seed matters
}


def profile_of(kind: str, profile: str) -> Profile:
    """Raises HaploomError for an unknown kind, or where it has no such profile: the paper does not have every kind."""
    if kind not in PROFILES:
        raise HaploomError(f"there is no kind of model {kind!r}: choose one of {', '.join(PROFILES)}")
    if profile not in PROFILES[kind]:
        raise HaploomError(
            f"a model of kind {kind} has no profile {profile!r} (it has {', '.join(PROFILES[kind])}): choose another "
            "with --profile"
        )
    return PROFILES[kind][profile]
