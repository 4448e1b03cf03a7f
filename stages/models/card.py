"""The model card of an encoder, README.md in its folder: what it is, how it was trained, how it is loaded."""

import yaml

# Jinja, for `huggingface_hub.ModelCard`. The section on training is there where the encoder comes from a stage.
TEMPLATE = """---
{{ card_data }}
---

# {{ title | default(class_name) }}

An image encoder: {{ network }}, from a study of self-supervised learning by image
colourisation.
{%- if description %}

{{ description }}
{%- endif %}
{%- if command %}

## Training

```console
$ {{ command }}
```

with these values in `params.yaml`:

```yaml
{{ parameters }}```
{%- if settings %}

and these of `data/objectives/{{ title }}/train.json`, lists left out:

```yaml
{{ settings }}```
{%- endif %}
{%- if budget %}

{{ budget }}
{%- endif %}
{%- if seed_number %}

It is encoder {{ seed_number }} of `pretext.seeds`, counted from 0: its weights and batches are drawn from `seed` + \
{{ seed_number }}.
{%- endif %}
{%- endif %}

## Loading

```python
from {{ module }} import {{ class_name }}

model = {{ class_name }}.from_pretrained("{{ folder | default("path/to/this/folder") }}")
latents = model.encode(lab)  # of (N, 3, S, S) float32 CIE Lab with L in 0..100, see stages.color.lab.rgb_to_lab
layers = model.activations(lab)  # by name, from the image to the latents
{%- if predicts_ab %}
ab = model.predict_ab(lab, temperature=0.38)  # (N, 2, S, S), predicted from L alone
{%- endif %}
```

"""


def training_section(
    name: str,
    stage: str,
    description: str,
    parameters: dict,
    settings: dict | None = None,
    seed_number: int = 0,
    budget: str = "",
) -> dict[str, str | int]:
    """The values of `TEMPLATE` that a training stage knows, for `model_card_kwargs` of `save_pretrained`.

    Args:
        name: of the encoder, also of its stage's matrix value.
        stage: in dvc.yaml.
        description: a sentence or two.
        parameters: of params.yaml, in its order and nested as there.
        settings: of the objective, as in data/objectives/<name>/train.json; lists are left out.
        seed_number: k of `pretext.seeds`.
        budget: a sentence, where its epochs are not `train.epochs`.
    """
    folder = f"data/encoders/{name}" + (f"/seed_{seed_number}" if seed_number else "")
    scalars = {key: value for key, value in (settings or {}).items() if not isinstance(value, list)}
    return {
        "title": name,
        "description": description,
        "command": f"dvc repro {stage}@{name}",
        "parameters": _dump(parameters),
        "settings": _dump(scalars) if scalars else "",
        "seed_number": seed_number,
        "budget": budget,
        "folder": folder,
    }


class _Dumper(yaml.SafeDumper):
    """Blocks, but for lists, which stand on one line as in params.yaml."""


_Dumper.add_representer(
    list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)
)


def _dump(values: dict) -> str:
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1000)
