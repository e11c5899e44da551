"""The autoencoders as scikit-learn estimators: `fit`, `transform`, `inverse_transform`, `sample`, `score_samples`.

They train the networks of `haploom.models` with the one training loop, by the settings of a profile. To write a model
file that the commands read, use `train_model` instead.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import torch

from haploom.errors import MissingExtraError, SiteMismatchError
from haploom.models import vqvae
from haploom.models.encoder import encode_batches, rows_at_once
from haploom.models.model import Batch, HaplotypeModel
from haploom.models.network import KINDS, load_weights
from haploom.panel import DosagePanel, Panel
from haploom.popgen.allele_shares import check_alleles
from haploom.training.arrays import ArrayDataset
from haploom.training.dataset import PanelDataset, batches
from haploom.training.devices import choose_device
from haploom.training.job import Job
from haploom.training.processes import single_process
from haploom.training.profiles import profile_of

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_array, check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise MissingExtraError("scikit-learn", "models", "an estimator") from error

DRAWS = 8  # of the latents, for a row's score

Genotypes = Panel | DosagePanel | np.ndarray


class _Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What the estimators share.

    X, everywhere: a `Panel` (rows are haplotypes), a `DosagePanel` (rows are people) or an array (n, n_sites) of
    alleles: 0 or 1, or probabilities between; NaN or -1 where a call is missing.

    Parameters whose default is None are the profile's (`haploom.training.profiles`); those of the network are described
    with its config (`haploom.models`), those of training with `TrainingConfig`. profile: "sound", or "paper" for
    published settings. validation_fraction: share of the rows (of a panel's people) that chooses the epoch to keep and
    when to stop; rows of one family should not be on both sides, so leave relatives out of X. device: "auto", "cpu" or
    "cuda". random_state: seed; the same one gives the same result with the same torch, threads and device.

    After `fit`: `network_`, the torch module; `history_`, the figures of each epoch, a dict each; `n_features_in_`;
    `feature_names_in_`, site keys where X was a panel.
    """

    _kind: ClassVar[str]
    _of_training: ClassVar[tuple[str, ...]] = ("epochs", "batch_size", "learning_rate", "patience")
    network_: HaplotypeModel

    def fit(self, X: Genotypes, y: Any = None) -> Self:
        """Train on X. y is not used.

        Raises ValueError for anything but alleles or fewer than 3 rows, HaploomError for settings that cannot be.
        """
        data = self._dataset(X, reset=True)
        random = check_random_state(self.random_state)
        profile = profile_of(self._kind, self.profile)
        train, validation = self._parts(data, random)
        given = {
            name: value for name, value in self.get_params(deep=False).items()
            if value is not None and name not in ("profile", "validation_fraction", "device", "random_state")
        }  # fmt: skip
        training = {name: given.pop(name) for name in (*self._of_training, "beta") if name in given}
        config = profile.training.changed(**training, seed=int(random.randint(np.iinfo(np.int32).max)))
        settings = KINDS[self._kind][0](n_sites=data.n_sites, ploidy=data.ploidy, **{**profile.shape, **given})
        job = Job(self._kind, settings, train, validation, config)
        outcome = job.run(single_process(choose_device(self.device)))
        network = job.new_network()
        load_weights(network, outcome.weights)
        self.network_ = network.eval()
        self.history_ = [figures.record() for figures in outcome.history]
        return self

    def transform(self, X: Genotypes) -> np.ndarray:
        """Means of the latents: float32 (n, n_latents). Raises SiteMismatchError for a panel of other sites."""
        check_is_fitted(self)
        data = self._dataset(X)
        return encode_batches(self.network_, self._batches(data))

    @torch.no_grad()
    def inverse_transform(self, Z: np.ndarray) -> np.ndarray:
        """Latents (n, n_latents) -> probabilities of the alternate allele, float32 (n, n_sites)."""
        check_is_fitted(self)
        Z = check_array(Z, dtype=np.float32)
        if Z.shape[1] != self.network_.n_latents:
            raise ValueError(f"Z has {Z.shape[1]} latents, but {self.network_.n_latents} were fitted")
        step = rows_at_once(self.n_features_in_)
        parts = [self.network_.decode(torch.from_numpy(Z[start : start + step])) for start in range(0, len(Z), step)]
        return torch.sigmoid(torch.cat(parts)).numpy()

    @torch.no_grad()
    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """New rows, from the prior of the latents: alleles drawn from the decoder's probabilities, uint8 (n, n_sites).

        Where rows are people (a DosagePanel was fitted), counts of the alternate allele, 0 to 2. Each call draws anew
        unless `random_state` is given. In memory all at once: ask for a block of rows at a time.
        """
        check_is_fitted(self)
        if n_samples < 0:
            raise ValueError(f"n_samples={n_samples}: wanted 0 or more")
        generator = torch.Generator().manual_seed(int(check_random_state(random_state).randint(np.iinfo(np.int32).max)))
        log_odds = self._drawn(n_samples, generator)
        trials = torch.full_like(log_odds, self.network_.config.ploidy)
        return torch.binomial(trials, torch.sigmoid(log_odds), generator=generator).to(torch.uint8).numpy()

    @torch.no_grad()
    def score_samples(self, X: Genotypes) -> np.ndarray:
        """A lower bound of each row's log-likelihood, in nats: float64 (n,). Calls that are missing do not count.

        Minus the length of a code for the row: of its alleles given the latents, and of the latents. Where latents are
        drawn, the mean over DRAWS draws, the same for every row, so that a row's score is its own.
        """
        check_is_fitted(self)
        network, shape = self.network_, self.network_.noise_shape
        draws: list[torch.Tensor | None] = [None]
        if shape is not None:
            half = torch.randn((DRAWS // 2, *shape), generator=torch.Generator().manual_seed(0))
            draws = [*half, *-half]
        scores = []
        for batch in self._batches(self._dataset(X)):
            nats = [
                sum(losses[name].double() for name in network.code_terms)
                for draw in draws
                for losses in [network(batch, None if draw is None else draw.expand(len(batch.counts), -1)).losses]
            ]
            scores.append(-sum(nats) / len(draws))
        return torch.cat(scores).numpy()

    def score(self, X: Genotypes, y: Any = None) -> float:
        """Mean of `score_samples` over the rows."""
        return float(self.score_samples(X).mean())

    @property
    def _n_features_out(self) -> int:
        return self.network_.n_latents

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _drawn(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Log-odds of new rows: (n, n_sites)."""
        return self.network_.decode(torch.randn((n, self.network_.n_latents), generator=generator))

    def _batches(self, data: PanelDataset) -> Iterable[Batch]:
        cpu = torch.device("cpu")
        return (data.batch(rows, cpu) for rows in batches(len(data), rows_at_once(data.n_sites)) if len(rows))

    def _dataset(self, X: Genotypes, reset: bool = False) -> PanelDataset:
        """X checked against what was fitted; with `reset`, as what is fitted from now on."""
        if not isinstance(X, Panel | DosagePanel):
            return ArrayDataset(self._alleles(X, reset))
        names = np.array(X.variants.site_keys(), dtype=object)
        if reset:
            self.n_features_in_, self.feature_names_in_ = X.n_sites, names
        data = PanelDataset(X)
        wanted = getattr(self, "feature_names_in_", None)
        if X.n_sites != self.n_features_in_ or (wanted is not None and (names != wanted).any()):
            raise SiteMismatchError(
                f"these are other sites ({X.variants.extent()}) than the {self.n_features_in_:,} that were fitted: "
                "select those first, or fit again"
            )
        if not reset and data.ploidy != self.network_.config.ploidy:
            rows = {1: "haplotypes (a Panel)", 2: "people (a DosagePanel)"}
            raise SiteMismatchError(
                f"fitted on {rows[self.network_.config.ploidy]}, but these are {rows[data.ploidy]}: fit again"
            )
        return data

    def _alleles(self, X: Any, reset: bool) -> np.ndarray:
        least = 3 if reset else 1
        alleles = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", ensure_min_samples=least)
        check_alleles(alleles)
        return alleles

    def _parts(self, data: PanelDataset, random: np.random.RandomState) -> tuple[PanelDataset, PanelDataset]:
        """Rows to train on, and rows to choose the epoch by; a person's two haplotypes stay together."""
        share = self.validation_fraction
        if not 0 < share < 1:
            raise ValueError(f"validation_fraction={share} must be above 0 and below 1")
        in_panel = not isinstance(data, ArrayDataset)
        n = data.panel.n_samples if in_panel else len(data)
        if n < 3:
            raise ValueError(f"training needs 3 people or more, and there are {n}")
        order = random.permutation(n)
        n_validation = min(n - 2, max(1, round(share * n)))
        chosen = np.sort(order[n_validation:]), np.sort(order[:n_validation])
        if not in_panel:
            return ArrayDataset(data.columns[chosen[0]]), ArrayDataset(data.columns[chosen[1]])
        train, validation = (data.panel.select_samples([data.panel.samples[i] for i in part]) for part in chosen)
        return PanelDataset(train), PanelDataset(validation)


class VAE(_Autoencoder):
    """The variational autoencoder (docs/vae.md).

    n_latent, hidden, decoder_hidden, dropout: its shape, see `haploom.models.vae.VAEConfig`. beta: weight of the KL
    term. The other parameters, X and the attributes: docs/python.md.
    """

    _kind = "vae"

    def __init__(
        self, n_latent: int | None = None, *, hidden: tuple[int, ...] | None = None,
        decoder_hidden: tuple[int, ...] | None = None, dropout: float | None = None, beta: float | None = None,
        profile: str = "sound", epochs: int | None = None, batch_size: int | None = None,
        learning_rate: float | None = None, patience: int | None = None, validation_fraction: float = 0.1,
        device: str = "auto", random_state: Any = 0,
    ) -> None:  # fmt: skip
        self.n_latent, self.hidden, self.decoder_hidden, self.dropout = n_latent, hidden, decoder_hidden, dropout
        self.beta = beta
        self.profile, self.epochs, self.batch_size, self.learning_rate = profile, epochs, batch_size, learning_rate
        self.patience, self.validation_fraction = patience, validation_fraction
        self.device, self.random_state = device, random_state


class WindowVAE(_Autoencoder):
    """A small variational autoencoder for each window of sites.

    window, n_latent (of each window), hidden, decoder_hidden, share, couple, dropout: its shape, see
    `haploom.models.window_vae.WindowConfig`. beta: weight of the KL term. The other parameters, X and the attributes:
    docs/python.md.
    """

    _kind = "window-vae"

    def __init__(
        self, window: int | None = None, *, n_latent: int | None = None, hidden: tuple[int, ...] | None = None,
        decoder_hidden: tuple[int, ...] | None = None, share: bool | None = None, couple: bool | None = None,
        dropout: float | None = None, beta: float | None = None,
        profile: str = "sound", epochs: int | None = None, batch_size: int | None = None,
        learning_rate: float | None = None, patience: int | None = None, validation_fraction: float = 0.1,
        device: str = "auto", random_state: Any = 0,
    ) -> None:  # fmt: skip
        self.window, self.n_latent, self.hidden, self.decoder_hidden = window, n_latent, hidden, decoder_hidden
        self.share, self.couple, self.dropout, self.beta = share, couple, dropout, beta
        self.profile, self.epochs, self.batch_size, self.learning_rate = profile, epochs, batch_size, learning_rate
        self.patience, self.validation_fraction = patience, validation_fraction
        self.device, self.random_state = device, random_state


class VQVAE(_Autoencoder):
    """The windowed vector-quantised autoencoder. `transform` gives the values before they are quantised.

    window, n_latent (of each window), heads, codes, hidden, decoder_hidden, commitment, dropout: its shape, see
    `haploom.models.vqvae.VQVAEConfig`. The other parameters, X and the attributes: docs/python.md.
    """

    _kind = "vqvae"
    network_: vqvae.VQVAE

    def __init__(
        self, window: int | None = None, *, n_latent: int | None = None, heads: int | None = None,
        codes: int | None = None, hidden: tuple[int, ...] | None = None, decoder_hidden: tuple[int, ...] | None = None,
        commitment: float | None = None, dropout: float | None = None,
        profile: str = "sound", epochs: int | None = None, batch_size: int | None = None,
        learning_rate: float | None = None, patience: int | None = None, validation_fraction: float = 0.1,
        device: str = "auto", random_state: Any = 0,
    ) -> None:  # fmt: skip
        self.window, self.n_latent, self.heads, self.codes = window, n_latent, heads, codes
        self.hidden, self.decoder_hidden, self.commitment, self.dropout = hidden, decoder_hidden, commitment, dropout
        self.profile, self.epochs, self.batch_size, self.learning_rate = profile, epochs, batch_size, learning_rate
        self.patience, self.validation_fraction = patience, validation_fraction
        self.device, self.random_state = device, random_state

    def _drawn(self, n: int, generator: torch.Generator) -> torch.Tensor:
        return self.network_.decode_codes(self.network_.draw_codes(n, generator))
