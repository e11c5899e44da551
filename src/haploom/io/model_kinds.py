"""Names of the kinds of models: in one place that costs nothing to import."""

from typing import Literal

ModelKind = Literal[
    "vae", "cvae", "yvae", "window-ae", "window-vae", "vqvae", "gmmn", "autoregressive", "denoiser", "pca",
    "ancestry", "coordinates",
]  # fmt: skip
# Built with torch.
NETWORKS = ("vae", "cvae", "yvae", "window-ae", "window-vae", "vqvae", "autoregressive", "denoiser", "gmmn")
TRAINED = (*NETWORKS, "pca")  # those that the training loop knows profiles of
FITTED = (*TRAINED, "ancestry", "coordinates")  # all that `haploom train` makes
FITTED_TO_VALIDATION = ("ancestry", "coordinates")  # to the validation people as well as to the training people
CODES = ("vae", "cvae", "yvae", "window-vae", "vqvae", "autoregressive")  # whose loss holds the length of a code
WITHOUT_LATENTS = ("autoregressive", "denoiser", "gmmn")  # they place nobody
