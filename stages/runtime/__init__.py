"""What makes a stage a good program: its parameters checked, its errors told, its files whole, its end in order.

Nothing here can change a value or a byte of an output, so no stage but `check_params` declares this room in dvc.yaml, and
a change of it reruns no other. What may live here:

- errors and their texts: a stage that raises one writes nothing;
- the schema and the reader of params.yaml: they refuse values and hand on the others as they are. DVC compares the values
  themselves, so a stage reruns when one of them changes;
- signals, and the watch for a parent that has gone: they end a stage, and one that ended early wrote nothing;
- whole-file writing: where a file lies until it is whole, and when it is moved. What is in it is decided elsewhere.

What may not: anything that computes, rounds, orders, names or encodes what is written. JSON and arrays are in
`stages.formats`, a model's stride is in `stages.models`, the device that computes is in `stages.compute`.
"""
