"""A finished study in small: every file that the report reads, in its format, with made-up numbers."""

import json
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from stages.comparison.tables import (
    ACCURACY,
    COMPARISON,
    CONFUSED,
    CURVES,
    DEPTH,
    FEW_SHOT_LIFTS,
    LABEL_EFFICIENCY,
    LABELS_SAVED,
    LIFTS,
    RATIOS,
    SEEN_CLASSES,
    TAKEAWAYS,
)
from stages.painting.tables import SCORES
from tests.project import ROOT

PIXELS = ["rgb", "lightness", "rgb_small", "lightness_small"]
LAYERS = ["down_0", "down_1", "down_2", "mid", "latent"]
PRIMARY = {"head": "conv", "layer": "mid", "over": "rgb_small"}
SHOTS = {"1": 1.0, "5": 5.0, "10": 10.0, "25": 25.0, "all": 75.0}
SKILL = {
    "rgb": 0.52, "rgb_small": 0.50, "lightness": 0.30, "lightness_small": 0.28, "random": 0.31, "reconstruction": 0.34,
    "autoencoder": 0.45, "supervised": 0.48, "colorization": 0.50, "color_classification": 0.62, "split_brain": 0.70,
}  # fmt: skip
CHANCE = {"in": 0.125, "out": 0.25}
KEYS = {"in": "in_domain", "out": "out_of_domain"}
LABELS = ["apple pie", "beef <b>tartare</b>", "nan", "pho & ramen"]


def write_study(
    root: Path,
    *,
    objectives=("colorization", "color_classification", "split_brain"),
    controls=("random", "reconstruction", "autoencoder", "supervised"),
    pixels=tuple(PIXELS),
    probed=None,
    heads=("conv", "linear", "knn", "ridge"),
    finetuned=(),
    painted=True,
    size=16,
    epochs=6,
) -> None:
    """Write the study into an empty folder.

    Args:
        probed: the encoders that were probed in full; default: all controls but `swapped`, and objectives.
        finetuned: the representations that were fine-tuned.
        size: of a painted picture, in pixels.
    """
    rng = np.random.default_rng(0)
    compared = [name for name in controls if name != "swapped"]
    probed = [*compared, *objectives] if probed is None else list(probed)
    for folder in ("metrics", "profiles", "data/comparison"):
        (root / folder).mkdir(parents=True)
    (root / "profiles/sample.yaml").write_text(default := (ROOT / "profiles/sample.yaml").read_text())
    params = yaml.safe_load(default)
    params["pretext"] |= {"objectives": list(objectives), "controls": list(controls)}
    listed = [*probed[: len(compared)], *(["swapped"] if "swapped" in controls else []), *probed[len(compared) :]]
    params["probe"]["representations"] = {"pixels": list(pixels), "latents": listed}
    if params["evaluate"]["probe"] not in pixels:
        params["evaluate"]["probe"] = "rgb"
    params["finetune"]["representations"] = {
        "pixels": [name for name in finetuned if name in pixels],
        "latents": [name for name in finetuned if name not in pixels],
    }
    params["compare"]["primary"] = PRIMARY if PRIMARY["over"] in pixels else PRIMARY | {"over": pixels[0]}
    (root / "params.yaml").write_text(yaml.safe_dump(params))

    best = {(d, n): "mid" if SKILL[n] > 0.4 else "latent" for d in KEYS for n in probed}
    cells = comparison_rows(rng, pixels, probed, heads, best)
    tuned = finetuned_rows(finetuned)
    COMPARISON.write(root / "metrics/comparison.csv", COMPARISON.frame([*cells, *tuned]))
    bars = [row | {"view": "primary", "low": row["accuracy_low"], "high": row["accuracy_high"]} for row in tuned]
    ACCURACY.write(root / "metrics/accuracy.csv", ACCURACY.frame([*accuracy_rows(cells, pixels, best), *bars]))
    LIFTS.write(root / "metrics/lifts.csv", LIFTS.frame(lift_rows(pixels, probed, heads, best)))
    few = [
        row | {"view": "primary", "shots": shots, "labels": SHOTS[shots]}
        for row in tuned
        for shots in ("5", "25", "all")
    ]
    efficiency = LABEL_EFFICIENCY.frame([*efficiency_rows(rng, pixels, probed, best), *few])
    LABELS_SAVED.write(root / "metrics/labels_saved.csv", LABELS_SAVED.frame(labels_saved_rows(finetuned)))
    LABEL_EFFICIENCY.write(root / "metrics/label_efficiency.csv", efficiency)
    RATIOS.write(root / "metrics/ratios.csv", RATIOS.frame(ratio_rows(cells, pixels, best)))
    few_shot = FEW_SHOT_LIFTS.frame(few_shot_lift_rows(lift_rows(pixels, probed, heads, best)))
    FEW_SHOT_LIFTS.write(root / "metrics/few_shot_lifts.csv", few_shot)
    seen = seen_class_rows([*pixels, *probed], next((name for name in objectives if name in probed), None))
    SEEN_CLASSES.write(root / "metrics/seen_classes.csv", SEEN_CLASSES.frame(seen))
    answered = (
        [("Does it help?", "yes", "All <b>probes</b> agree.")] if any(name in probed for name in objectives) else []
    )
    TAKEAWAYS.write(root / "data/comparison/takeaways.csv", TAKEAWAYS.frame(answered))
    DEPTH.write(root / "metrics/depth.csv", DEPTH.frame(depth_rows(rng, pixels, probed, best)))
    write_json(root / "metrics/comparison.json", {KEYS[d]: {"chance": chance} for d, chance in CHANCE.items()})
    curves = [
        {"domain": d, "representation": n, "epoch": e, "train_loss": 2 / e, "validation_loss": 2.2 / e,
         "validation_accuracy": SKILL[n] * (1 - 0.5 / e)}
        for d in KEYS for n in [*pixels, *probed] for e in range(1, epochs + 1)
    ]  # fmt: skip
    CURVES.write(root / "data/comparison/curves.csv", CURVES.frame(curves))
    confused = [
        {"domain": d, "representation": n, "label": LABELS[i % 4], "predicted": LABELS[(i + 1) % 4], "count": 20 - i,
         "share": (20 - i) / 250}
        for d in KEYS for n in [*pixels, *probed] for i in range(10)
    ]  # fmt: skip
    CONFUSED.write(root / "data/comparison/confused.csv", CONFUSED.frame(confused))
    for name in [*controls, *objectives]:
        write_training(root / "data/training" / name, epochs if name != "random" else 0)
    write_painting(root, rng, objectives if painted else (), size)


def seen_class_rows(names, own) -> list[tuple]:
    """With the control `swapped`, and an effect that is within the margin; none without an objective."""
    if own is None:
        return []
    none, rows = [np.nan] * 5, []
    for covered, half in (("images and seeds", 0.01), ("classes, images and seeds", 0.03)):
        for task in ("out", "matched"):
            for name in [*names, "swapped"]:
                value, seen = (
                    SKILL.get(name, 0.5),
                    int(name in (own, "swapped") and (task == "out") == (name == "swapped")),
                )
                rows.append(("accuracy", name, "", task, seen, covered, value, value - half, value + half, *none, ""))
        numbers = (0.002, 0.002 - half, 0.002 + half, 0.002 - 0.8 * half, 0.002 + 0.8 * half, 0.7, 0.01, 0.014)
        for quantity, name, over, task in (
            ("difference", "swapped", own, "out"),
            ("difference", own, "swapped", "matched"),
            ("effect", own, "swapped", ""),
        ):
            words = {"effect": "does not matter" if half < 0.02 else "undecided"}.get(quantity, "")
            rows.append((quantity, name, over, task, 1, covered, *numbers, words))
    return rows


def comparison_rows(rng, pixels, probed, heads, best) -> list[dict]:
    rows = []
    for domain, bonus in (("in", 0.0), ("out", 0.08)):
        for head, share in zip(heads, (1.0, 0.85, 0.8, 0.9), strict=False):
            for name in [*pixels, *probed]:
                layers = (
                    ["pixels"]
                    if name in pixels
                    else list(dict.fromkeys([PRIMARY["layer"], "latent", best[domain, name]]))
                )
                for layer in layers:
                    key = {"domain": domain, "head": head, "representation": name, "layer": layer}
                    key |= {"top_5": 0.9, "loss": 1.1}
                    accuracy = round((SKILL[name] + bonus - (0.05 if layer == "latent" else 0)) * share, 6)
                    for seed in range(3 if head == "conv" else 1):
                        score = round(accuracy + rng.normal(0, 0.01), 6)
                        rows.append(key | {"pretraining_seed": 0, "seed": seed, "accuracy": score})
                    ends = {"accuracy_low": accuracy - 0.061, "accuracy_high": accuracy + 0.064}
                    ends |= {"accuracy_low_classes": accuracy - 0.091, "accuracy_high_classes": accuracy + 0.094}
                    mean = {"pretraining_seed": "mean", "seed": "mean", "accuracy": accuracy}
                    rows.append(key | mean | {name: round(end, 6) for name, end in ends.items()})
    return rows


def finetuned_rows(finetuned) -> list[dict]:
    """Means over seeds of what was fine-tuned."""
    return [
        {"domain": domain, "head": "finetune", "representation": name, "layer": "mid", "pretraining_seed": "mean",
         "seed": "mean", "accuracy": SKILL[name], "top_5": 0.9, "loss": 1.1, "accuracy_low": SKILL[name] - 0.05,
         "accuracy_high": SKILL[name] + 0.05}
        for domain in KEYS for name in finetuned
    ]  # fmt: skip


def labels_saved_rows(finetuned) -> list[dict]:
    """Over each network from scratch, of few labels with an interval that is whole, of all with an open one."""
    whole = {
        "shots": "5",
        "draws": 3,
        "verdict": "saves labels",
        "labels": 5.0,
        "labels_from_scratch": 12.5,
        "bound": "",
        "from_scratch_low": 8.0,
    }
    whole |= {"from_scratch_high": 20.0, "utility": 1.5, "utility_low": 0.6, "utility_high": 3.0}
    beyond = {
        "shots": "all",
        "draws": 3,
        "verdict": "saves labels",
        "labels": 75.0,
        "labels_from_scratch": 75.0,
        "bound": "more than",
        "utility": 0.0,
    }
    return [
        {"domain": domain, "representation": name, "over": over, "accuracy": SKILL[name]} | numbers
        for domain in KEYS for name in finetuned for over in ("random", "rgb")
        if name not in ("random", "rgb", "supervised") and over in finetuned
        for numbers in (whole, beyond | {"from_scratch_low": 75.0})
    ]  # fmt: skip


def accuracy_rows(cells: list[dict], pixels, best) -> list[dict]:
    """A row a view; an encoder has all, though they may be of one layer."""
    rows = []
    for cell in cells:
        if cell["seed"] == "mean":
            name, layer = cell["representation"], cell["layer"]
            views = {"primary": "pixels"} if name in pixels else layer_views(cell["domain"], name, best)
            ends = {"low": cell["accuracy_low"], "high": cell["accuracy_high"]}
            rows += [cell | ends | {"view": view} for view, of_view in views.items() if of_view == layer]
    return rows


def layer_views(domain, name, best) -> dict[str, str]:
    return {"primary": PRIMARY["layer"], "latent": "latent", "best": best[domain, name]}


def lift_rows(pixels, probed, heads, best) -> list[dict]:
    rows = []
    for domain in KEYS:
        for head in heads:
            for name in probed:
                others = [n for n in probed if n in ("random", "reconstruction") and n != name]
                others += ["autoencoder"] if name == "split_brain" and "autoencoder" in probed else []
                for view in ("primary", "latent", "best") if name != "random" else ():
                    for over in [*pixels, *others]:
                        layers = ["pixels" if n in pixels else layer_views(domain, n, best)[view] for n in (name, over)]
                        primary = (head, name, layers[0], over) == ("conv", "colorization", "mid", PRIMARY["over"])
                        lift = SKILL[name] - SKILL[over]
                        p = float(np.exp(-30 * abs(lift)))
                        rows.append({
                            "domain": domain, "head": head, "view": view, "representation": name, "layer": layers[0],
                            "over": over, "over_layer": layers[1], "lift": round(lift, 6),
                            "lift_low": round(lift - 0.08, 6), "lift_high": round(lift + 0.08, 6), "p": round(p, 6),
                            "p_adjusted": round(min(1, 6 * p), 6), "win": int(lift > 0.08 and 6 * p < 0.05),
                            "primary": int(primary),
                            "minimum_detectable": 0.114, "lift_low_classes": round(lift - 0.12, 6),
                            "lift_high_classes": round(lift + 0.12, 6),
                        })  # fmt: skip
    return rows


def few_shot_lift_rows(lifts: list[dict]) -> list[dict]:
    """The ridge probe's lifts, half as large with few labels."""
    return [
        {name: row[name] / 2 if name.startswith("lift") else row.get(name) for name in FEW_SHOT_LIFTS.names}
        | {"shots": shots, "labels": float(shots)}
        for row in lifts
        if row["head"] == "ridge"
        for shots in ("1", "5")
    ]


def ratio_rows(cells: list[dict], pixels, best) -> list[dict]:
    """To rgb; out of domain rgb is no better than chance."""
    rows, rgb = [], {}
    for row in accuracy_rows(cells, pixels, best):
        if row["representation"] == "rgb":
            rgb[row["domain"], row["head"]] = row["accuracy"]
        elif "rgb" in pixels:
            over = rgb[row["domain"], row["head"]]
            key = {name: row[name] for name in ("domain", "head", "view", "representation", "layer", "accuracy")}
            key |= {"over": "rgb", "over_accuracy": over, "lift": row["accuracy"] - over}
            key |= {"ratio": row["accuracy"] / over, "ratio_low": 0.8, "ratio_high": 1.6}
            above = {"chance_corrected": 1.2, "chance_corrected_low": 0.9, "chance_corrected_high": 1.7}
            rows.append(key | (above if row["domain"] == "in" else {}))
    return rows


def efficiency_rows(rng, pixels, probed, best) -> list[dict]:
    rows = []
    for domain, chance in CHANCE.items():
        for name in [*pixels, *probed]:
            layers = {"primary": "pixels"} if name in pixels else layer_views(domain, name, best)
            for view, layer in layers.items():
                for shots, labels in SHOTS.items():
                    reached = np.log(labels + 1) / np.log(76)
                    accuracy = chance + (SKILL[name] - chance) * reached - (0.02 if layer == "latent" else 0)
                    accuracy = round(accuracy + rng.normal(0, 0.005), 6)
                    rows.append({
                        "domain": domain, "head": "ridge", "representation": name, "layer": layer, "view": view,
                        "shots": shots,
                        "labels": labels, "accuracy": accuracy, "accuracy_low": round(accuracy - 0.05, 6),
                        "accuracy_high": round(accuracy + 0.05, 6),
                    })  # fmt: skip
    return rows


def depth_rows(rng, pixels, probed, best) -> list[dict]:
    rows = []
    for domain in KEYS:
        for name in [*pixels, *probed]:
            chosen = "pixels" if name in pixels else best[domain, name]
            for order, layer in enumerate(["pixels"] if name in pixels else LAYERS):
                accuracy = SKILL[name] * 0.9 - (0 if layer == chosen else 0.02 * abs(order - 3) + 0.01)
                accuracy = round(accuracy, 6)
                rows.append({
                    "domain": domain, "head": "ridge", "representation": name, "layer": layer, "order": order,
                    "features": 8192, "cv_accuracy": round(accuracy + 0.01, 6),
                    "validation_accuracy": round(accuracy + 0.01, 6), "accuracy": accuracy,
                    "accuracy_low": round(accuracy - 0.05, 6), "accuracy_high": round(accuracy + 0.05, 6),
                    "chosen": int(layer == chosen),
                })  # fmt: skip
    return rows


def write_training(folder: Path, epochs: int) -> None:
    """As DVCLive does, with an online probe; of an untrained encoder no training loss."""
    for subset in ("train", "validation") if epochs else ("validation",):
        (folder / "plots/metrics" / subset).mkdir(parents=True)
        steps = range(1, epochs + 1) if epochs else [0]
        rows = "".join(f"{step}\t{1.5 / (step + 1) + (subset == 'validation') * 0.1:.6f}\n" for step in steps)
        (folder / f"plots/metrics/{subset}/loss.tsv").write_text(f"step\tloss\n{rows}")
    (folder / "plots/metrics/online_probe").mkdir()
    for domain, chance in CHANCE.items():
        rows = "".join(f"{step}\t{chance + 0.1 - 0.1 / (step + 1):.6f}\n" for step in steps)
        (folder / f"plots/metrics/online_probe/{domain}.tsv").write_text(f"step\t{domain}\n{rows}")


def write_painting(root: Path, rng, objectives, size: int) -> None:
    scores = {"psnr": 22.1, "ssim": 0.91, "lpips": 0.18, "ab_rmse": 14.2, "auc": 0.9, "auc_rebalanced": 0.8}
    scores |= {"colorfulness": 31.0, "probe_accuracy": 0.42}
    painters = [*objectives, "grey", "mean_ab", "mean_ab_by_lightness"] if objectives else []
    quality = {key: dict.fromkeys(painters, scores) for key in KEYS.values()}
    for scores_of_domain in quality.values():
        scores_of_domain["truth"] = {"colorfulness": 44.0, "probe_accuracy": 0.55}
    write_json(root / "metrics/colorization.json", quality)
    for name in objectives:
        images = [
            {"image": f"{label}/{number:03}", "domain": d, "psnr": 20 + number / 10, "lpips": 0.01 * number + 0.02}
            for d in KEYS for number in range(10) for label in ("apple_pie", "<b>_soup")
        ]  # fmt: skip
        (root / "data/quality" / name).mkdir(parents=True)
        SCORES.write(root / "data/quality" / name / "scores.csv", SCORES.frame(images).fillna(0.5))
        (root / "data/painted" / name).mkdir(parents=True)
        for key in KEYS.values():
            for kind in ("", "_best", "_typical", "_worst"):
                pixels = smooth_pixels(rng, size)
                Image.fromarray(pixels).save(root / "data/painted" / name / f"{key}{kind}.png")


def smooth_pixels(rng, size: int) -> np.ndarray:
    """A sheet of 3 x 8 pictures that compresses about as badly as photographs do."""
    coarse = rng.integers(0, 256, size=(3 * 4, 8 * 4, 3)).astype(np.uint8)
    sheet = np.asarray(Image.fromarray(coarse).resize((8 * size, 3 * size), Image.Resampling.BICUBIC), dtype=np.int16)
    return (sheet + rng.integers(-8, 9, size=sheet.shape)).clip(0, 255).astype(np.uint8)


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True))
