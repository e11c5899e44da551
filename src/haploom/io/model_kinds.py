"""Names of the kinds of models: in one place that costs nothing to import."""

from typing import Literal

ModelKind = Literal["vae", "cvae", "yvae", "window-ae", "window-vae", "vqvae", "gmmn", "autoregressive", "pca"]
NETWORKS = ("vae", "cvae", "yvae", "window-ae", "window-vae", "vqvae", "autoregressive", "gmmn")  # built with torch
TRAINED = (*NETWORKS, "pca")  # those that `haploom train` trains
