"""What a row of metrics/lifts.csv allows to say."""

import pandas as pd

ALPHA = 0.05
WIN, BEHIND, UNDECIDED = "beats", "falls behind", "no difference shown"


def verdict(lift: pd.Series) -> str:
    """`WIN`, `BEHIND` or `UNDECIDED`, by the row's interval and its adjusted p."""
    if lift["win"] == 1:
        return WIN
    return BEHIND if lift["lift_high"] < 0 and lift["p_adjusted"] < ALPHA else UNDECIDED
