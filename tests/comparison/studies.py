"""A made-up study, read and resampled as the stage does it."""

from pathlib import Path

from stages.compare import all_hits
from stages.comparison.estimates import BootstrapEstimate, bootstrap_estimates
from stages.comparison.layers import DOMAINS
from stages.comparison.primary import Endpoint
from stages.comparison.representations import ProbedRepresentation, read_representations
from tests.comparison.probes import PRIMARY, write_findings

PIXELS = {"rgb": 0.5, "lightness": 0.3}
ENCODERS = {"random": 0.3, "reconstruction": 0.35, "colorization": 0.6}
ENDPOINT = Endpoint("conv", "colorization", "rgb")


def study(
    folder: Path,
    pixels=PIXELS,
    encoders=ENCODERS,
    *,
    resamples: int = 300,
    seed: int = 0,
    hits=None,
    depth_heads=("ridge",),
    finetuned=(),
    **options,
) -> tuple[list[ProbedRepresentation], dict[str, dict[tuple, BootstrapEstimate]]]:
    """Write the representations, each right with its probability, and read them back with their columns.

    `finetuned` names those that are fine-tuned, which tests write as `write_finetuned` does.
    `hits` sets answers by hand, by representation, as `write_findings` takes them; `options` go to it too.
    """
    for number, (name, accuracy) in enumerate((pixels | encoders).items()):
        kind, own = "pixels" if name in pixels else "encoder", (hits or {}).get(name)
        if not (Path(folder) / name).exists():
            write_findings(folder, name, accuracy, kind=kind, rng=number, hits=own, depth_heads=depth_heads, **options)
    representations = read_representations(folder, list(pixels), list(encoders), PRIMARY, list(depth_heads), finetuned)
    return representations, {
        domain: bootstrap_estimates(
            all_hits(representations, domain),
            representations[0].predictions[domain].labels,
            resamples=resamples,
            seed=[seed, number],
        )
        for number, domain in enumerate(DOMAINS)
    }
