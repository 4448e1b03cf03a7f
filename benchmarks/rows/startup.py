"""How long a stage takes until it works: the interpreter, the imports, the parameters."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from benchmarks.measure import Row, Scale, seconds

ROOT = Path(__file__).parents[2]
WITHOUT_TORCH = (
    "check_params",
    "download",
    "split",
    "convert_to_lab",
    "count_colors",
    "prepare_objectives",
    "evaluate_colorization",
)
WITH_TORCH = (
    *("train_autoencoder colorization", "train_control random", "extract_latents random", "train_probes random"),
    *("train_pixel_probes rgb", "paint colorization"),
)


def measure(scale: Scale) -> list[Row]:
    rows = []
    with TemporaryDirectory() as folder:
        params = yaml.safe_load((ROOT / "profiles/food101.yaml").read_text(encoding="utf-8"))
        params["data"]["url"] = "nowhere.tar.gz"
        params["loss"]["lpips_backbone"] = "random"  # a machine without the weights measures as well
        Path(folder, "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")

        def start(*arguments: str) -> float:
            # There are no data here: the stage stops when it looks for them, the first thing after its imports.
            ended = []
            took = seconds(
                lambda: ended.append(
                    subprocess.run(
                        [sys.executable, *arguments],
                        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
                    )
                )
            )  # fmt: skip
            if ended[0].returncode and not re.match(r"error: .*(is missing|there is no)", ended[0].stderr):
                raise RuntimeError(f"{' '.join(arguments)} did not start: {ended[0].stderr}")
            return took

        def slowest(stages: tuple[str, ...]) -> tuple[list[float], str]:
            took = {stage: [start("-m", f"stages.{stage}".split()[0], *stage.split()[1:]) for _ in turns]
                    for stage in stages}  # fmt: skip
            name = max(took, key=lambda stage: min(took[stage]))
            return took[name], name.split()[0]

        turns = range(scale.size(scale.repeats, 1))
        start("-c", "import torch")
        torch = min(start("-c", "import torch") for _ in turns)
        took, name = slowest(WITHOUT_TORCH)
        rows.append(
            Row("start of a stage without torch", "under 0.5 s", "s", took, higher=False, note=f"{name}, the slowest")
        )
        took, name = slowest(WITH_TORCH)
        beyond = [each - torch for each in took]
        note = f"{name}, the slowest; importing torch takes {torch:.1f} s"
        rows.append(
            Row(
                "start of a stage with torch, beyond importing torch",
                "under 1.5 s",
                "s",
                beyond,
                higher=False,
                note=note,
            )
        )
    return rows
