"""Published checkpoints to models of this package and back.

``translate`` applies the names of :mod:`mmvseg.checkpoints.published`, ``fit`` compares the result
with a config's model and ``files`` does all of it from file to file.
"""
