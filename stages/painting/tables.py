"""The columns of data/quality/<painter>/, for the stages that write these tables and those that read them."""

from stages.formats.csv import Table

SCORES = Table(
    "the table of an image's scores",
    {
        **dict.fromkeys(("image", "domain"), str),
        **dict.fromkeys(("psnr", "ssim", "lpips", "ab_rmse", "auc", "auc_rebalanced"), float),
        **dict.fromkeys(("colorfulness_true", "colorfulness_painted"), float),
        **dict.fromkeys(("probe_correct_true", "probe_correct_painted"), float),
        **dict.fromkeys(("a_painted", "b_painted", "spread_painted"), float),
    },
    float_format="%.6g",
)
CURVES = Table(
    "the table of raw accuracy by threshold",
    {"domain": str, "threshold": int, "accuracy": float, "accuracy_rebalanced": float},
    float_format="%.6g",
)
