import pytest

from stages.comparison.depth import depth_table
from stages.comparison.tables import DEPTH
from tests.comparison.probes import rewrite, write_findings
from tests.comparison.studies import study


def test_every_layer_has_its_accuracy_under_each_depth_head_from_the_image_to_the_latents(tmp_path):
    heads = ["ridge", "conv"]
    place = write_findings(tmp_path, "random", images=40, pretraining_seeds=2, depth_heads=heads)
    rewrite(place / "layers.csv", lambda rows: rows[::-1])
    representations, columns = study(tmp_path, {"rgb": 0.5}, {"random": 0.3}, images=40, depth_heads=heads)
    found = depth_table(representations, columns, heads)
    assert list(found) == DEPTH.names
    scores = representations[1].predictions["out"].scores
    for head in heads:
        own = found[(found["domain"] == "out") & (found["head"] == head)]
        assert list(own["layer"]) == ["pixels", "down_0", "down_1", "mid", "latent"]
        assert list(own["order"]) == [0, 0, 1, 2, 3] and list(own["chosen"]) == [1, 0, 0, 1, 0]
        for row in own[1:].itertuples():
            assert row.accuracy == pytest.approx(scores[row.layer, head].hit.mean(), abs=1e-6)
            assert row.accuracy_low < row.accuracy < row.accuracy_high
            assert (row.features, row.validation_accuracy, row.cv_accuracy) == (900, 0.25, 0.3)
