"""The columns of the comparison's tables, for `compare`, which writes them, and for `report`, which reads them."""

from stages.formats.csv import Table

COMPARISON = Table(
    "the table of every accuracy",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer", "pretraining_seed", "seed"), str),
        **dict.fromkeys(("accuracy", "top_5", "loss"), float),
        **dict.fromkeys(("accuracy_low", "accuracy_high", "lift", "lift_low", "lift_high"), None),
    },
)
LIFTS = Table(
    "the table of lifts",
    {
        **dict.fromkeys(("domain", "head", "view", "representation", "layer", "over", "over_layer"), str),
        **dict.fromkeys(("lift", "lift_low", "lift_high", "p", "p_holm"), float),
        "win": int,
        "minimum_detectable": float,
    },
)
LABEL_EFFICIENCY = Table(
    "the table of accuracy by labels a class",
    {
        **dict.fromkeys(("domain", "representation", "layer", "view", "shots"), str),
        **dict.fromkeys(("labels", "accuracy", "accuracy_low", "accuracy_high"), float),
    },
)
DEPTH = Table(
    "the table of accuracy by layer",
    {
        **dict.fromkeys(("domain", "representation", "layer"), str),
        **dict.fromkeys(("order", "features"), int),
        **dict.fromkeys(("validation_accuracy", "accuracy", "accuracy_low", "accuracy_high"), float),
        "chosen": int,
    },
)
ACCURACY = Table(
    "the chart's accuracies",
    {
        **dict.fromkeys(("domain", "head", "representation", "layer", "view"), str),
        **dict.fromkeys(("accuracy", "low", "high"), float),
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
