"""Stage: all of the study on one page. `python -m stages.report`

Reads metrics/ (of `compare` and `evaluate_colorization`), data/comparison/, data/painted/, data/quality/,
data/training/, params.yaml and profiles/sample.yaml (the default); writes metrics/report.html, which needs no
other file, and metrics/accuracy.svg, the chart of all accuracies.
"""

from stages.reporting.figures import accuracy_file
from stages.reporting.page import render_page
from stages.reporting.parameters import changed_parameters
from stages.reporting.pictures import embedded_pictures
from stages.reporting.results import read_results
from stages.runtime.entry_point import run
from stages.runtime.files import whole_file
from stages.runtime.params import load_params


def main() -> None:
    params = load_params()
    objectives = params.pretext.objectives
    results = read_results(objectives, params.pretext.controls)
    pictures = embedded_pictures("data/painted", results.scores, objectives)
    page = render_page(results, pictures, changed_parameters(params), params.compare.equivalence)
    outputs = {"metrics/report.html": page, "metrics/accuracy.svg": accuracy_file(results)}
    for path, text in outputs.items():
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    print(f"metrics/report.html: {len(page.encode()) / 1e6:.2f} MB. Open it in a browser.")


if __name__ == "__main__":
    run(main)
