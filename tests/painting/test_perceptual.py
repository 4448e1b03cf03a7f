import lpips
import pytest
import torch

from stages.losses.perceptual import open_lpips
from stages.painting.perceptual import perceptual_distance, perceptual_features


@pytest.mark.filterwarnings("ignore::UserWarning")  # lpips uses torchvision's old `pretrained=`
@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_features_that_are_kept_give_the_distance_that_lpips_gives(net, calibrated):
    if calibrated:  # of weights that are not downloaded; the calibration comes with the package
        metric = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).requires_grad_(False).eval()
    else:
        metric = open_lpips(net, "random", "evaluate")
    one, other = torch.rand(2, 3, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    kept = perceptual_features(metric, one)
    with torch.inference_mode():
        distance = perceptual_distance(metric, perceptual_features(metric, other), kept)
        torch.testing.assert_close(distance, metric(other, one, normalize=True).flatten())
    assert distance.abs().min() > 1e-4
    assert perceptual_distance(metric, kept, kept).tolist() == [0, 0, 0]
