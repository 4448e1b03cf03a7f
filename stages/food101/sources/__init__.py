"""The forms in which Food-101 comes, a module each with the same two functions.

`read_lists(path)` returns the contents of meta/classes.txt, train.txt and test.txt by name, those that are there;
`iterate_photographs(path)` yields ("class/id", the file's place for messages, its bytes). Both raise StageError where
the form is broken; what the lists say is checked by `stages.food101.archive`, once for all forms.
"""
