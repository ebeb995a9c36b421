"""Other ids of classes, wherever in a file they stand."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping

from ..youtube_vis import Video
from .contents import Contents, Entry


def with_classes(contents: Contents, new_ids: Mapping[int, int]) -> Contents:
    """A file whose objects and videos refer to classes by other ids; its classes stay.

    Args:
        contents: of the file.
        new_ids: by old ones. Objects of a class without a new id are left out; several classes may
            get one id.
    """
    old_ids: dict[int, set[int]] = defaultdict(set)
    for old, new in new_ids.items():
        old_ids[new].add(old)
    objects = contents.objects
    if objects is not None:
        objects = [
            entry.changed(category_id=new_ids[entry.values.category_id])
            for entry in objects
            if entry.values.category_id in new_ids
        ]
    videos = [_with_classes(entry, old_ids) for entry in contents.videos]
    return dataclasses.replace(contents, objects=objects, videos=videos)


def _with_classes(entry: Entry[Video], old_ids: Mapping[int, set[int]]) -> Entry[Video]:
    absent = {*(entry.values.neg_category_ids or ())}
    partial = {*(entry.values.not_exhaustive_category_ids or ())}
    # a class that stands for several is absent if all are, and partly annotated if one is
    new_absent = [new for new, old in old_ids.items() if old <= absent]
    new_partial = [new for new, old in old_ids.items() if not old.isdisjoint(partial)]
    if {*new_absent} != absent:
        entry = entry.changed(neg_category_ids=new_absent)
    if {*new_partial} != partial:
        entry = entry.changed(not_exhaustive_category_ids=new_partial)
    return entry
