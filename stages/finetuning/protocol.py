"""Fine-tuning as a head: the encoder and a linear layer on its pooled last block, trained on a domain's labels.

As lightly's benchmarks do (`finetune_eval`): a linear layer on globally average-pooled features, all weights trained,
a short schedule with cosine decay. `random` is training from scratch; so is `rgb`, by the same
encoder that sees three channels. How many labels pretraining saves over these is its utility (Newell and Deng 2020, How
Useful is Self-Supervised Pretraining for Visual Tasks?, arXiv 2003.14323, section 3), `stages.comparison.labels_saved`.

Every arm has the same budget: `steps` steps of AdamW, the same rates to select from on validation images, the same
images in the same order, and the probes' augmentation, mirror images. A fit to few labels takes as many steps as one to
all, and so more passes over its images. The rate is selected on validation images for each number of labels and
pretraining seed, with the first seed or draw; the others take it. There is no early stopping: the weights of the last
step are evaluated. Test images are read once, after that.

Settings that matter:
    finetune.steps              of each fit
    finetune.batch_size         images a step
    finetune.learning_rates     of AdamW, to select from
    finetune.weight_decay       of AdamW
    finetune.seeds              of the linear layer, the order and the mirror images, with all labels
    finetune.shots, draws       fewer labels a class, and random draws of them: the few-shot probe's
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from stages.classifiers.domains import Domain, available_shots, draw_images, read_domain
from stages.compute.device import device, set_deterministic
from stages.dataset.manifest import SUBSETS
from stages.finetuning.network import FinetunedClassifier, pooled_stats
from stages.finetuning.training import Start, finetune, log_probabilities
from stages.models.autoencoder import Autoencoder
from stages.models.split_brain import SplitBrain
from stages.probing.head import Trial, select_hyperparameter
from stages.probing.scores import accuracy_and_loss, prediction_table
from stages.probing.tables import CHOICES, FINETUNE, FINETUNED_LAYER, FINETUNED_SHOTS
from stages.runtime.errors import StageError
from stages.runtime.schema import Finetune


class FinetuneResults(NamedTuple):
    """The tables of data/probes/finetune/<representation>/, see `stages.probing.tables`.

    Attributes:
        hits: by domain, (its rows of `few_shot`, test images) uint8, 1 where a prediction was right.
    """

    predictions: pd.DataFrame
    choices: pd.DataFrame
    few_shot: pd.DataFrame
    hits: dict[str, np.ndarray]


class Fit(NamedTuple):
    """Log-probabilities (N, K) of the test images by an encoder tuned on some labels.

    Attributes:
        shots: labels a class, or "all".
        labels: mean number of labels a class.
        draw: of the labels; of all labels, the seed.
        trial: of the rate, on validation images.
    """

    shots: int | str
    labels: float
    draw: int
    trial: Trial
    log_probabilities: np.ndarray


def finetune_representation(
    encoder: Callable[[int], Autoencoder | SplitBrain],
    lab8: dict[str, np.ndarray],
    manifest: pd.DataFrame,
    settings: Finetune,
    seed: int,
    pretraining_seeds: int,
) -> FinetuneResults:
    """Fine-tune the encoder of each pretraining seed in both domains.

    Args:
        encoder: the encoder of a pretraining seed, 0, 1, ...
        lab8: by subset (`probe`, `validation`, `test`), (N, 3, S, S) uint8 Lab.
        manifest: as by `stages.dataset.manifest.read_manifest`.
        settings: the group `finetune` of the parameters, of which `representations` is not read.
        seed: of the study.

    Raises:
        StageError: for a domain that cannot be probed (see `read_domain`), every rate diverging, or the selected one
            with another seed or draw.
    """
    domains = [read_domain(manifest, name) for name in SUBSETS]
    few_shots = []
    for domain in domains:
        labels, name = domain.images["probe"].labels, f"finetune.shots in domain '{domain.name}'"
        few_shots.append(available_shots(labels, len(domain.classes), settings.shots, name))
    set_deterministic(device(), True)
    predictions, choices, few_shot, hits = [], [], [], {name: [] for name in SUBSETS}
    for number, domain in enumerate(domains):
        for pretraining_seed in range(pretraining_seeds):
            key = {"domain": domain.name, "layer": FINETUNED_LAYER}
            start = encoder(pretraining_seed).to(device()).eval()
            fits, trials, selected = _fit_domain(start, lab8, domain, few_shots[number], settings, (seed, number))
            head = key | {"head": FINETUNE, "pretraining_seed": pretraining_seed}
            choices += [
                head
                | {"setting": "learning_rate", "value": trial.value, "chosen": int(index == selected)}
                | {"validation_accuracy": trial.accuracy, "validation_loss": trial.loss}
                for index, trial in enumerate(trials)
            ]
            for fit in fits:
                if fit.shots == "all":
                    predictions.append(prediction_table(domain, head | {"seed": fit.draw}, fit.log_probabilities))
                right = fit.log_probabilities.argmax(axis=1) == domain.images["test"].labels
                hits[domain.name].append(right.astype(np.uint8))
                few_shot.append(
                    key
                    | {"pretraining_seed": pretraining_seed, "shots": fit.shots, "labels": fit.labels}
                    | {"draw": fit.draw, "learning_rate": fit.trial.value}
                    | {"validation_accuracy": fit.trial.accuracy, "test_accuracy": right.mean()}
                )
    return FinetuneResults(
        predictions=pd.concat(predictions, ignore_index=True),
        choices=CHOICES.frame(choices),
        few_shot=FINETUNED_SHOTS.frame(few_shot),
        hits={name: np.stack(rows) for name, rows in hits.items()},
    )


def _fit_domain(
    encoder: Autoencoder | SplitBrain,
    lab8: dict[str, np.ndarray],
    domain: Domain,
    few_shots: list[int],
    settings: Finetune,
    seed: tuple[int, int],
) -> tuple[list[Fit], list[Trial], int]:
    """All fits of one encoder in one domain, the fewest labels first; the trials with all labels, and which is best.

    Args:
        few_shots: labels a class, ascending, besides all.
        seed: (seed of the study, index of the domain).
    """
    images, used = domain.images, device()
    arrays = {subset: np.ascontiguousarray(lab8[subset][images[subset].positions]) for subset in images}
    train, labels = torch.from_numpy(arrays["probe"]).to(used), images["probe"].labels
    start = Start(encoder, pooled_stats(encoder, train, settings.precision))
    all_rows = np.arange(len(labels))

    def fit(rows: np.ndarray, rate: float, draw: int) -> tuple[FinetunedClassifier, Trial]:
        model = finetune(
            start,
            train[torch.from_numpy(rows).to(used)],
            torch.from_numpy(labels[rows]).to(used),
            classes=len(domain.classes),
            learning_rate=rate,
            seed=(seed[0], draw),
            settings=settings,
        )
        scores = log_probabilities(model, arrays["validation"], settings.precision)
        return model, Trial(rate, *accuracy_and_loss(scores, images["validation"].labels))

    fits = []
    for shots in [*few_shots, "all"]:
        draws = settings.seeds if shots == "all" else settings.draws
        chosen = None
        for draw in range(draws):
            rows = all_rows if shots == "all" else draw_images(labels, shots, (*seed, shots, draw))
            if chosen is None:
                models, trials = zip(*(fit(rows, rate, draw) for rate in settings.learning_rates), strict=True)
                selected = select_hyperparameter(list(trials), "learning_rates", group="finetune")
                chosen, model, trial = trials[selected].value, models[selected], trials[selected]
            else:
                model, trial = fit(rows, chosen, draw)
                _check_finite(trial, shots, draw)
            scores = log_probabilities(model, arrays["test"], settings.precision)
            fits.append(Fit(shots, len(rows) / len(domain.classes), draw, trial, scores))
    return fits, list(trials), selected


def _check_finite(trial: Trial, shots: int | str, draw: int) -> None:
    if not np.isfinite(trial.loss):
        what = f"seed {draw}" if shots == "all" else f"draw {draw} of {shots} labels a class"
        raise StageError(
            f"fine-tuning diverged for {what} at the rate {trial.value:g}, which the first one selected. Lower "
            f"finetune.learning_rates."
        )
