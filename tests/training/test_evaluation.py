import numpy as np
import pytest
import torch

from stages.controls.reconstruct_input import Reconstruction
from stages.runtime.schema import Model
from stages.training.evaluation import evaluate
from stages.training.images import Images
from stages.training.settings import Settings

MODEL = Model(block_out_channels=[8], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
SETTINGS = Settings(
    epochs=1, batch_size=4, optimizer="adamw", learning_rate=1e-2, weight_decay=0.0, warmup_fraction=0.1,
    gradient_clip=1.0, lightness_jitter=0.0, crop=1.0, precision="float32", deterministic=True,
)  # fmt: skip


def test_every_image_counts_the_same_in_a_mean():
    # 5 images in batches of 4: the last batch's loss must weigh a fifth, not a half and not 1/5 of one batch.
    array = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    array[4] = 255
    torch.manual_seed(0)
    objective = Reconstruction("lab")
    model = objective.build(MODEL)
    whole = evaluate(model, objective, Images(array), SETTINGS)["loss"]
    singles = [evaluate(model, objective, Images(array[i : i + 1]), SETTINGS)["loss"] for i in range(5)]
    assert whole == pytest.approx(np.mean(singles), rel=1e-5)
    assert max(singles) > 1.1 * min(singles)
