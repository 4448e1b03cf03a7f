"""What each objective depends on, and no other: the files of data/objectives/.

DVC's matrix gives every objective the same parameters, so a change of one objective's would train all of them again. A
cheap stage copies to each its own share, and the training depends on that file: where its bytes stay, nothing reruns.
"""

import json
from pathlib import Path

from stages.color.counts import read_prior
from stages.color.prior import rebalancing_weights, smoothed_prior
from stages.shared.errors import StageError
from stages.shared.params import Loss, Params

FOLDER = "data/objectives"


def objective_settings(name: str, params: Params) -> dict[str, dict]:
    """`train`: what the training depends on; `paint`: what painting with it does.

    Args:
        name: of the objective.
        params: groups `loss`, `classification`, `split_brain`, and `model.chroma_stride`.

    Raises:
        StageError: when data/colors/prior.csv is missing, or the palette has fewer bins than a colour is shared
            between.
    """
    if name == "colorization":
        loss = {key: getattr(params.loss, key) for key in Loss.model_fields}
        return {"train": {"loss": loss, "chroma_stride": params.model.chroma_stride}, "paint": {}}
    if name == "split_brain" and params.split_brain.kind == "regression":
        return {"train": {"kind": "regression"}, "paint": {}}
    classification = params.classification
    bins, prior = read_prior()
    if classification.neighbors > len(bins):
        raise StageError(
            f"classification.neighbors must be at most {len(bins)}, the number of bins of classification.bin_size "
            f"{classification.bin_size:g}; got {classification.neighbors}"
        )
    smoothed = smoothed_prior(bins, prior, classification.sigma)
    weights = rebalancing_weights(smoothed, classification.rebalance)
    train = {
        "bins": bins.tolist(),
        "shares": (smoothed * weights).round(12).tolist(),
        "weights": weights.round(9).tolist(),
        "neighbors": classification.neighbors,
        "sigma": classification.sigma,
        "stride": classification.stride,
    }
    if name == "split_brain":
        train["kind"] = "classification"
    return {"train": train, "paint": {"temperature": classification.temperature}}


def read_settings(name: str, part: str) -> dict:
    """Settings of an objective's `train` or `paint`.

    Raises:
        StageError: when the file is missing or is not JSON.
    """
    path = Path(FOLDER, name, f"{part}.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StageError(f"{path} is missing. `dvc repro prepare_objectives` makes it.") from None
    except ValueError as error:
        raise StageError(f"{path} is not JSON ({error}). Remove it and run `dvc repro`.") from None
