import torch

from stages.compute.batches import Batch
from stages.controls.rotation import TURNS, Rotation
from stages.runtime.schema import Model
from stages.training.distributed import Shard

MODEL = Model(block_out_channels=[8], layers_per_block=1, latent_channels=4, norm_num_groups=4, chroma_stride=1)
WHOLE = Shard(slice(None), 64, 64)


def test_labels_are_the_quarter_turns_of_the_views():
    """Lightness that rises from top to bottom still does in a mirrored, cropped and jittered view: turned
    counter-clockwise it rises to the right, to the top, to the left."""
    lab = torch.linspace(20, 80, 16)[:, None].expand(64, 3, 16, 16).contiguous()
    batch = Rotation().views(Batch(lab, lab), [0, 0, 0], WHOLE)
    down = (batch.lab[:, 0, 1:] - batch.lab[:, 0, :-1]).mean(dim=(1, 2))
    right = (batch.lab[:, 0, :, 1:] - batch.lab[:, 0, :, :-1]).mean(dim=(1, 2))
    steepest = torch.stack([down, right, -down, -right]).argmax(dim=0)
    assert torch.equal(steepest, batch.labels)
    assert set(batch.labels.tolist()) == set(range(TURNS))


def test_a_view_depends_on_its_place_in_the_batch_and_not_on_how_the_batch_is_shared():
    lab = torch.rand(64, 3, 8, 8) * 100
    whole = Rotation().views(Batch(lab, lab), [0, 1, 2], WHOLE)
    part = Rotation().views(Batch(lab[20:50], lab[20:50]), [0, 1, 2], Shard(slice(20, 50), 30, 64))
    assert torch.equal(part.labels, whole.labels[20:50])
    assert torch.allclose(part.lab, whole.lab[20:50], atol=1e-4)
    other = Rotation().views(Batch(lab, lab), [0, 1, 3], WHOLE)
    assert not torch.equal(other.labels, whole.labels)


def test_rotations_that_can_be_told_are_learned():
    torch.manual_seed(0)
    objective = Rotation()
    network = objective.build(MODEL)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    lab = torch.linspace(20, 80, 8)[:, None].expand(64, 3, 8, 8).contiguous()
    for step in range(20):
        batch = objective.views(Batch(lab, lab), [0, 0, step], WHOLE)
        losses = objective.losses(network(batch.lab), batch)
        network.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    assert losses["accuracy"] > 0.9
