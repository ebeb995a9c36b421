"""Weights in files: ``files`` reads and writes them, ``weights`` fills models.

``plain_pickle`` says what a pickle may hold, ``stand_ins`` what becomes of it, ``torch_zip`` where
the values of tensors lie; ``loaders`` finds weights by address and makes mmengine read as safely,
``publishing`` makes files for others, ``published`` knows the names of other code bases.

``downloads`` fetches files into the ``cache``, ``transfer`` by ``transfer``, from ``addresses`` and
their mirrors, and compares them with ``digests``.
"""
