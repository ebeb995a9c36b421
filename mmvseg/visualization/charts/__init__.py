"""Charts of numbers as SVG: drawn without a display, the same numbers give the same bytes."""
