"""One file a head: `fit(run, train, validation)` selects its hyperparameter, `predict(probe, features, settings)`.

An added head is a file here and an entry in `stages.probing.tables.HEADS`.
"""
