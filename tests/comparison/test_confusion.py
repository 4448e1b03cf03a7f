import numpy as np

from stages.comparison.confusion import confusion, most_confused
from stages.comparison.predictions import Predictions
from stages.comparison.representations import ProbedRepresentation
from stages.comparison.tables import CONFUSED


def representation(labels: str, predicted: str) -> ProbedRepresentation:
    own = Predictions(*(np.array(list(text), object) for text in (labels, labels, predicted)), np.arange(3), {})
    return ProbedRepresentation("rgb", "pixels", {}, {"in": own, "out": own}, {})


def test_pairs_are_ordered_by_how_often_then_by_share_and_right_answers_are_no_pairs():
    # Of five a two are taken for b and one for c; of three b two for a, a larger share; the one c for b.
    found = most_confused([representation("aaaaabbbc", "abbcabaab")])
    assert list(found) == CONFUSED.names
    rows = found[found["domain"] == "out"][["label", "predicted", "count", "share"]].apply(tuple, axis=1)
    assert rows.to_list() == [("b", "a", 2, 0.666667), ("a", "b", 2, 0.4), ("c", "b", 1, 1.0), ("a", "c", 1, 0.2)]


def test_ten_are_kept_and_none_may_be_confused():
    letters = "abcdefghijkl"
    found = most_confused([representation(letters, letters[1:] + "a")])
    assert list(found[found["domain"] == "in"]["label"]) == list(letters[:10])
    assert most_confused([representation("ab", "ab")]).empty


def test_the_confusion_matrix_s_rows_are_the_test_images():
    own = representation("aab", "aba").predictions["in"]
    assert confusion(own).to_dict("list") == {"actual": ["a", "a", "b"], "predicted": ["a", "b", "a"]}
