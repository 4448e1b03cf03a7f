"""Running a stage as a program: parameters, errors, signals, files that are whole or absent.

No stage but `check_params` declares this package in dvc.yaml, so an edit here reruns no other stage. It may therefore
hold only what cannot change a value or a byte of an output:

- errors and their messages: a stage that raises one writes no output;
- the schema and the reader of params.yaml: they refuse values or pass them on unchanged. DVC compares the values
  themselves and reruns a stage when one that it declares changes;
- signals, and ending with the parent process: a stage that ends early writes no output;
- whole-file writing: the temporary name and the rename. The content is written by the caller.

Code that computes, rounds, sorts, names or encodes what is written belongs where it is declared: JSON and arrays in
`stages.formats`, a model's stride in `stages.models`, the choice of the device in `stages.compute`.
"""
