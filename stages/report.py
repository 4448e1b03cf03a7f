"""Stage: all of the study on one page. `python -m stages.report`

Reads metrics/ (of `compare` and `evaluate_colorization`), data/comparison/, data/painted/, data/quality/,
data/training/, params.yaml and profiles/sample.yaml (the default); writes metrics/report.html, which needs no
other file.
"""

from stages.reporting.evidence import read_evidence
from stages.reporting.page import render_page
from stages.reporting.parameters import changed_parameters
from stages.reporting.pictures import embedded_pictures
from stages.runtime.entry_point import run
from stages.runtime.files import whole_file
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    objectives = params.pretext.objectives
    evidence = read_evidence(objectives, params.pretext.controls)
    pictures = embedded_pictures("data/painted", evidence.scores, objectives)
    page = render_page(evidence, pictures, changed_parameters(params))
    with whole_file("metrics/report.html") as part:
        part.write_text(page, encoding="utf-8", newline="\n")
    print(f"metrics/report.html: {len(page.encode()) / 1e6:.2f} MB. Open it in a browser.")


if __name__ == "__main__":
    run(main)
