import pytest

from stages.classifiers.domains import read_domain
from stages.runtime.errors import StageError


def test_labels_are_numbered_within_the_domain_even_where_a_subset_lacks_a_class(manifest):
    kept = manifest[(manifest["label"] != "cake") | (manifest["subset"] != "test")]
    domain = read_domain(kept, "in")
    assert domain.classes.tolist() == ["apple", "cake", "stew"]
    assert set(domain.images["test"].labels) == {0, 2}
    assert set(read_domain(kept, "out").images["test"].labels) == {0, 1}
    names = manifest[manifest["subset"] == "test"].reset_index(drop=True)["image"]
    out = read_domain(manifest, "out").images["test"]
    assert out.names.tolist() == names[out.positions].tolist()
    matched = read_domain(manifest, "matched")
    assert matched.classes.tolist() == ["apple", "stew"]
    test = matched.images["test"]
    assert [name.split("/")[0] for name in test.names] == matched.classes[test.labels].tolist()
    assert test.names.tolist() == names[test.positions].tolist()


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("label == 'tart'", "domain 'out' has 1 class"),
        ("domain == 'out'", "domain 'out' has 0 class"),
        ("label == 'cake' and subset == 'probe'", "without probe images: cake"),
        ("domain == 'in' and subset == 'validation'", "domain 'in' has no validation images"),
        ("domain == 'out' and subset == 'test'", "domain 'out' has no test images"),
    ],
)
def test_a_domain_that_cannot_be_probed_is_refused(manifest, removed, message):
    kept = manifest.drop(manifest.query(removed).index)
    with pytest.raises(StageError, match=message):
        [read_domain(kept, name) for name in ("in", "out")]
