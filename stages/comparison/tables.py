"""The columns of the comparison's tables, for `compare`, which writes them, and for `report`, which reads them.

The ends of an accuracy's interval may be missing: a report of a table without them is one without intervals.
"""

from stages.formats.csv import Table

DIGITS = 6  # of every number after the decimal point

COMPARISON = Table(
    "the table of every accuracy",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer", "pretraining_seed", "seed"), str),
        **dict.fromkeys(("accuracy", "top_5", "loss"), float),
        **dict.fromkeys(("accuracy_low", "accuracy_high", "lift", "lift_low", "lift_high"), None),
        **dict.fromkeys(("accuracy_low_classes", "accuracy_high_classes"), None),
    },
)
LIFTS = Table(
    "the table of lifts",
    {
        **dict.fromkeys(("domain", "head", "view", "representation", "layer", "over", "over_layer"), str),
        **dict.fromkeys(("lift", "lift_low", "lift_high", "p", "p_adjusted"), float),
        "win": int,
        "primary": int,  # 1: the test of the primary endpoint, which the fixed sequence adjusts; 0: Holm's correction
        "minimum_detectable": float,
        **dict.fromkeys(("lift_low_classes", "lift_high_classes"), float),
    },
)
FEW_SHOT_LIFTS = Table(
    "the table of lifts with few labels",
    {
        **dict.fromkeys(("domain", "view", "representation", "layer", "over", "over_layer", "shots"), str),
        **dict.fromkeys(("labels", "lift", "lift_low", "lift_high", "lift_low_classes", "lift_high_classes"), float),
        **dict.fromkeys(("p", "p_adjusted"), float),
        "win": int,
        "minimum_detectable": float,
    },
)
RATIOS = Table(
    "the table of ratios",
    {
        **dict.fromkeys(("domain", "head", "view", "representation", "layer", "over"), str),
        **dict.fromkeys(("accuracy", "over_accuracy", "lift"), float),
        **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), None),
        **dict.fromkeys(("chance_corrected", "chance_corrected_low", "chance_corrected_high"), None),
    },
)
SEEN_CLASSES = Table(
    "the table of seen and held-out classes",
    {
        **dict.fromkeys(("quantity", "representation", "over", "task"), str),
        "seen": int,  # 1: the representation was trained on images of the task's classes
        "accounts_for": str,  # what the interval covers: `images and seeds`, or `classes, images and seeds`
        **dict.fromkeys(("value", "low", "high"), float),
        **dict.fromkeys(("low_90", "high_90", "p", "p_equivalence", "minimum_detectable"), None),  # of an accuracy none
        "verdict": str,  # of the effect
    },
)
TAKEAWAYS = Table("the answer in three lines", dict.fromkeys(("question", "verdict", "text"), str))
LABEL_EFFICIENCY = Table(
    "the table of accuracy by labels a class",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer", "view", "shots"), str),
        **dict.fromkeys(("labels", "accuracy"), float),
        **dict.fromkeys(("accuracy_low", "accuracy_high"), None),
    },
)
LABELS_SAVED = Table(
    "the table of labels saved",
    {
        **dict.fromkeys(("domain", "representation", "over", "shots"), str),
        "draws": int,
        **dict.fromkeys(("labels", "accuracy", "labels_from_scratch"), float),
        "bound": str,  # `at most` or `more than` labels_from_scratch where the curve does not reach the accuracy
        **dict.fromkeys(("from_scratch_low", "from_scratch_high"), None),  # missing: beyond the curve
        "utility": float,
        **dict.fromkeys(("utility_low", "utility_high"), None),
        "verdict": str,
    },
)
DEPTH = Table(
    "the table of accuracy by layer",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer"), str),
        **dict.fromkeys(("order", "features"), int),
        **dict.fromkeys(("validation_accuracy", "cv_accuracy", "accuracy"), float),  # the first two: of the ridge probe
        **dict.fromkeys(("accuracy_low", "accuracy_high"), None),
        "chosen": int,
    },
)
ACCURACY = Table(
    "the chart's accuracies",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer", "view"), str),
        "accuracy": float,
        **dict.fromkeys(("low", "high"), None),
    },
)
CURVES = Table(
    "the table of learning curves",
    {
        **dict.fromkeys(("domain", "representation"), str),
        "epoch": int,
        **dict.fromkeys(("train_loss", "validation_loss", "validation_accuracy"), float),
    },
)
CONFUSED = Table(
    "the table of confused classes",
    {
        **dict.fromkeys(("domain", "representation", "label", "predicted"), str),
        "count": int,
        "share": float,
    },
)
CONFUSION = Table("the answers of one probe", {"actual": str, "predicted": str})
