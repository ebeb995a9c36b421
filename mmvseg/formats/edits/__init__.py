"""Files in the form of YouTube-VIS made of others: split, merged, with fewer videos, other classes.

Entries are taken over as they stand, with keys that nothing here knows; masks are not even read.
"""
