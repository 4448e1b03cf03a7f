import math

from hypothesis import given
from hypothesis import strategies as st

from stages.reporting.numbers import fixed, percent, percent_range, points, points_range, probability


def test_by_hand():
    assert (percent(0.5266), points(0.1283), points(-0.0517)) == ("52.7", "+12.8", "-5.2")
    assert percent_range(0.46, 0.5916) == "46.0 to 59.2"
    assert points_range(-0.138, 0.0283) == "-13.8 to +2.8"
    assert (probability(0.04999), probability(0.0009), probability(1)) == ("0.050", "<0.001", "1.000")


def test_what_is_not_known_is_left_empty():
    unknown = [percent(math.nan), points(math.nan), fixed(math.nan, 2), probability(math.nan)]
    assert [*unknown, percent_range(math.nan, 0.5), points_range(0.1, math.nan)] == [""] * 6


@given(st.floats(-1, 1))
def test_a_spreadsheet_reads_it_back(value):
    assert abs(float(points(value)) - 100 * value) <= 0.0501
    assert abs(float(percent(value)) - 100 * value) <= 0.0501
    assert "-0.0" not in (points(value), percent(value))
