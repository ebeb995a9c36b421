"""Weights in files: ``files`` reads and writes them, ``weights`` fills models.

``plain_pickle`` says what a pickle may hold, ``loaders`` makes mmengine read as safely,
``publishing`` makes files for others, ``published`` knows the names of other code bases.
"""
