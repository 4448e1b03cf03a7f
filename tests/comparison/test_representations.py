import pytest

from stages.comparison.representations import read_representations
from stages.runtime.errors import StageError
from tests.comparison.probes import PRIMARY, rewrite, write_findings


def test_only_what_is_listed_is_read_in_that_order(tmp_path):
    write_findings(tmp_path, "rgb", kind="pixels")
    write_findings(tmp_path, "random", pretraining_seeds=2)
    write_findings(tmp_path, "reconstruction", pretraining_seeds=2, best=None)
    (tmp_path / "forgotten").mkdir()
    found = read_representations(tmp_path, ["rgb"], ["reconstruction", "random"], PRIMARY, ["ridge"])
    assert [own.name for own in found] == ["rgb", "reconstruction", "random"]
    assert found[0].views("in") == {"primary": "pixels"}
    assert found[1].views("in") == {"primary": "down_1", "latent": "latent", "best": "latent"}
    assert found[2].views("in") == {"primary": "down_1", "latent": "latent", "best": "mid"}


def test_a_missing_representation_is_named(tmp_path):
    write_findings(tmp_path, "rgb", kind="pixels")
    with pytest.raises(StageError, match="lists 'random'"):
        read_representations(tmp_path, ["rgb"], ["random"], PRIMARY, ["ridge"])


def other_label(rows):
    return rows.assign(label=rows["label"].replace("cake", "pie"))


def other_images(rows):
    return rows.assign(image=rows["image"] + "0")


def fewer_seeds(rows):
    return rows[rows["seed"] == 0]


@pytest.mark.parametrize("change", [other_label, other_images, fewer_seeds])
def test_what_cannot_be_paired_is_refused(tmp_path, change):
    write_findings(tmp_path, "rgb", kind="pixels")
    rewrite(write_findings(tmp_path, "random") / "predictions.csv", change)
    with pytest.raises(StageError, match="'random' and 'rgb' did not predict the same images"):
        read_representations(tmp_path, ["rgb"], ["random"], PRIMARY, ["ridge"])


def test_encoders_trained_unequally_often_are_refused(tmp_path):
    write_findings(tmp_path, "random", pretraining_seeds=2)
    write_findings(tmp_path, "colorization", pretraining_seeds=3)
    with pytest.raises(StageError, match="'colorization' was probed for 3 pretraining seeds, others for 2"):
        read_representations(tmp_path, [], ["random", "colorization"], PRIMARY, ["ridge"])
