"""Files of annotations and results: one module a format says what it is, reads and checks it."""
