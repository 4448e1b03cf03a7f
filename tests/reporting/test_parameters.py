from stages.reporting.parameters import changed_parameters
from stages.runtime.params import load_params
from stages.runtime.schema import Params
from tests.project import ROOT, merged

DEFAULT = ROOT / "profiles/sample.yaml"


def test_the_default_differs_in_nothing():
    assert changed_parameters(load_params(DEFAULT), DEFAULT) == []


def test_each_leaf_that_differs_is_named_with_both_values():
    changes = {"loss": {"lpips_weight": 0.5}, "data": {"images_per_class": 20}, "probe": {"shots": [1, 2]}}
    params = Params.model_validate(merged(load_params(DEFAULT).model_dump(), changes))
    assert changed_parameters(params, DEFAULT) == [
        ("data.images_per_class", "null", "20"),
        ("loss.lpips_weight", "1.0", "0.5"),
        ("probe.shots", "[1, 5, 10]", "[1, 2]"),
    ]
