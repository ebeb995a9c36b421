"""Published checkpoints to models of this package and back.

``names`` translates names by tables, ``parts`` and the modules of each network say how its
parameters differ, ``layouts`` how published code bases put them together, ``translate`` applies
them, ``fit`` compares the result with a config's model and ``files`` does all of it from file to
file.
"""
