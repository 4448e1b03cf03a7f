"""Stage: refuse params.yaml before any stage works by it. `python -m stages.check_params`

DVC puts parameters into commands (`python -m stages.train_control ${item.control}`), which a shell runs. The stages
refuse what is not among their names, but only once that shell has started: this one is before all of them, so that a
parameter is never more than data. It writes the same bytes whenever it succeeds, so a change reruns it alone.
"""

from stages.runtime.entry_point import run
from stages.runtime.files import whole_file
from stages.runtime.params import load_params

CHECKED = "data/params.checked"


def main() -> None:
    load_params()
    with whole_file(CHECKED) as part:
        part.write_text("params.yaml is sound\n", encoding="utf-8")


if __name__ == "__main__":
    run(main)
