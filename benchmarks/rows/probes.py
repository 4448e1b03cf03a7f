"""Conv probes on latents, seeds and learning rates, beside an encoder that runs in every epoch of each."""

import numpy as np

from benchmarks import straightforward
from benchmarks.measure import Row, Scale, in_turns
from benchmarks.models import lab_images, network, study
from benchmarks.pictures import draw_photographs
from stages.compute.device import device
from stages.features.extraction import extract_features, layer_shapes
from stages.probing.heads.conv import fit_conv_probe

SIZE, CLASSES, SEEDS, RATES = 64, 4, 2, 2


def measure(scale: Scale) -> list[Row]:
    params = study()
    count, epochs = scale.size(128, 8), scale.size(3, 1)
    settings = params.probe.model_copy(update={"epochs": epochs})
    files = draw_photographs(count)
    array, labels = lab_images(files, SIZE, count), np.arange(count, dtype=np.int64) % CLASSES
    model = network(params).eval()
    shapes = layer_shapes(model, ["latent"], SIZE, params.latents.features)

    def ours():
        """The encoder once, for each image and its mirror image; then every probe on what it made."""
        outputs = {layer: np.empty((count, 2, *shape), np.float16) for layer, shape in shapes.items()}
        extract_features(model, array, outputs, params.latents.precision)
        for run in range(SEEDS * RATES):
            fit_conv_probe(
                (outputs["latent"], labels), (outputs["latent"][:8], labels[:8]), classes=CLASSES,
                learning_rate=1e-3, seed=(0, run), settings=settings, device=device(),
            )  # fmt: skip

    def theirs():
        straightforward.train_probes(
            model, files, labels, SIZE, runs=SEEDS * RATES, epochs=epochs, channels=settings.channels, device=device()
        )

    ours()
    took = in_turns(ours, theirs, scale.repeats)
    return [
        Row(
            f"probes of one encoder: {SEEDS} seeds x {RATES} rates", "10x", "s", *took, higher=False,
            note=f"{count} images, {epochs} epochs each; the study's 10 epochs widen the gap",
        )
    ]  # fmt: skip
