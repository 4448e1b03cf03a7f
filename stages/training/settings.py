"""How long and how fast a network is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from stages.runtime.schema import Train


@dataclass(frozen=True)
class Settings:
    """`train.*` of the parameters, with their meaning there."""

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    warmup_fraction: float
    gradient_clip: float
    lightness_jitter: float
    crop: float
    precision: str
    deterministic: bool

    @classmethod
    def from_params(cls, train: Train) -> Settings:
        """Of the parameters."""
        return cls(**{field.name: getattr(train, field.name) for field in fields(cls)})


def learning_rate_at(step: int, steps: int, peak: float, warmup_fraction: float) -> float:
    """Linear warm-up from 0 to `peak` over the first `warmup_fraction` of all steps, then half a cosine down to 0."""
    warmup = warmup_fraction * steps
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1.0, steps - warmup)))
