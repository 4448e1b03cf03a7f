"""Numbers as the report writes them: plain ASCII, so that a spreadsheet reads them back."""

import math
from decimal import ROUND_HALF_UP, Decimal


def percent(share: float) -> str:
    """A share of 0..1 in per cent with one digit; empty for NaN."""
    return fixed(100 * share, 1)


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign; empty for NaN."""
    return "" if math.isnan(share) else f"{_rounded(100 * share, 1):+.1f}"


def percent_range(low: float, high: float) -> str:
    """`46.0 to 59.1`; empty where there is no interval."""
    return "" if math.isnan(low) or math.isnan(high) else f"{percent(low)} to {percent(high)}"


def points_range(low: float, high: float) -> str:
    """`-1.2 to +3.4`; empty where there is no interval."""
    return "" if math.isnan(low) or math.isnan(high) else f"{points(low)} to {points(high)}"


def fixed(value: float, digits: int) -> str:
    """A number with that many digits, never `-0.0`; empty for NaN."""
    return "" if math.isnan(value) else f"{_rounded(value, digits):.{digits}f}"


def fixed_range(low: float, high: float) -> str:
    """`1.05 to 1.32`; empty where there is no interval."""
    return "" if math.isnan(low) or math.isnan(high) else f"{fixed(low, 2)} to {fixed(high, 2)}"


def probability(value: float) -> str:
    """A p value with three digits; `<0.001` below that, empty for NaN."""
    return "<0.001" if value < 0.001 else fixed(value, 3)


def _rounded(value: float, digits: int) -> float:
    """To the nearest, halves away from zero as in the charts: a table and a chart give 12.25 % as 12.3. Never -0.0."""
    return float(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)) + 0.0
