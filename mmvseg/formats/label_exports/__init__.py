"""Annotations and results written in the files of labelling tools and of other data sets.

A format is a module with a docstring, whose first line is its name for people, and with

* ``OPTIONS``: names of the fields of :class:`~.options.ExportOptions` that it understands,
* ``write(export, out, options, report)``: writes :class:`~.options.Export` into a folder that is
  empty. What the format cannot carry is told to the report, an
  :class:`~mmvseg.formats.labels.report.ImportReport`.

What is peculiar about a format is said in its module and nowhere else.
"""
