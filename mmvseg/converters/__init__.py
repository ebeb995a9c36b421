"""Published checkpoints to models of this package and back.

``translate`` applies the names of :mod:`mmvseg.checkpoints.published`, ``encoders`` completes files
that hold no encoder of their own, ``fit`` compares the result with a config's model, with
``resampling`` where only its size differs, and ``files`` does all of it from file to file.
"""
