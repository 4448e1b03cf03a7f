import numpy as np

from stages.training.batches import BatchSampler, epoch_order

SAMPLER = BatchSampler(images=10, batch_size=4, seed=0)


def test_every_epoch_visits_every_image_once_in_another_order():
    orders = [epoch_order(100, 0, epoch) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert (orders[0] != orders[1]).any()


def test_batches_split_the_order_of_the_epoch():
    for epoch in (0, 1):
        batches = dict(SAMPLER.batches(epoch))
        assert [*batches] == [0, 1, 2]
        assert [len(rows) for rows in batches.values()] == [4, 4, 2]
        assert sorted(np.concatenate([*batches.values()])) == list(range(10))
        np.testing.assert_array_equal(batches[1], np.sort(epoch_order(10, 0, epoch)[4:8]))


def test_an_epoch_that_is_resumed_has_the_rest_of_its_batches():
    whole = [*SAMPLER.batches(1)]
    for start in range(4):
        rest = [*SAMPLER.batches(1, start)]
        assert [number for number, _ in rest] == [*range(start, 3)]
        for (_, rows), (_, expected) in zip(rest, whole[start:], strict=True):
            np.testing.assert_array_equal(rows, expected)


def test_a_step_of_the_training_is_a_batch_of_an_epoch():
    for epoch in (0, 1):
        for number, rows in SAMPLER.batches(epoch):
            np.testing.assert_array_equal(SAMPLER.rows(3 * epoch + number), rows)
    assert [SAMPLER.images_before(step) for step in range(7)] == [0, 4, 8, 10, 14, 18, 20]
