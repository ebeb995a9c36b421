"""Files of labelling tools and of other data sets, read as videos with objects: see ``importers``.

A format is a module with a docstring, whose first line is its name for people, and with

* ``OPTIONS``: names of the fields of :class:`~.options.ImportOptions` that it understands,
* ``recognises(source)``: whether the files of a source are of this format, by their names and first
  lines,
* ``read(source, options, report)``: its classes and videos, :class:`~.records.Labels`.

What is peculiar about a format is said in its module and nowhere else.
"""
