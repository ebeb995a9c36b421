"""The elements of CVAT's xml."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from mmvseg.errors import UserError, one_line
from mmvseg.formats.labels.records import LabelledVideo

#: What xml cannot hold, not even escaped.
_FORBIDDEN = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


@dataclass(frozen=True)
class Shape:
    """A shape of a track.

    Attributes:
        frame: 0-based.
        tag: ``polygon`` or ``mask``.
        values: what says where it is.
        outside: whether the object is gone.
    """

    frame: int
    tag: str
    values: Mapping[str, Any]
    outside: bool = False

    def gone(self, frame: int) -> 'Shape':
        """The copy that says that the object is gone from a frame on."""
        return replace(self, frame=frame, outside=True)


def polygon_shape(frame: int, points: np.ndarray) -> Shape:
    """A polygon of corners, (P, 2)."""
    text = ';'.join(f'{x:.2f},{y:.2f}' for x, y in points.tolist())
    return Shape(frame, 'polygon', dict(points=text))


def mask_shape(frame: int, mask: np.ndarray) -> Shape:
    """A mask, (H, W) bool, with a pixel at least: runs along the rows of its box, zeros first."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    inside = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    flat = np.concatenate([[False], inside.ravel()])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(changes, prepend=0, append=inside.size)
    height, width = inside.shape
    box = dict(left=left, top=top, width=width, height=height)
    return Shape(frame, 'mask', dict(rle=', '.join(map(str, runs.tolist())), **box))


class CvatXml:
    """Writes an xml element by element.

    Args:
        file: to write to.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self._tracks = 0

    def begin(self, video: LabelledVideo, number: int, labels: Sequence[Mapping[str, Any]]) -> None:
        """What stands before the tracks.

        Args:
            video: its objects are not written.
            number: of the task.
            labels: as CVAT's label constructor has them.
        """
        self.file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n')
        self._element('version', '1.1', 1)
        task = dict(
            id=number,
            name=video.name,
            size=len(video.frames),
            mode='interpolation',
            overlap=0,
            start_frame=0,
            stop_frame=len(video.frames) - 1,
            frame_filter='',
            labels=[dict(label=_label(label)) for label in labels],
            original_size=dict(width=video.width, height=video.height),
        )
        self._element('meta', dict(task=task), 1)

    def track(
        self,
        label: str,
        shapes: Iterable[Shape],
        attributes: Mapping[str, Any],
        z_order: int,
        group: int = 0,
    ) -> None:
        """A track.

        Args:
            label: its class.
            shapes: in the order of their frames.
            attributes: of each of them.
            z_order: what is higher lies in front.
            group: of tracks that are parts of one object; 0: of none.
        """
        more = dict(group_id=group) if group else {}
        start = _tag('track', dict(id=self._tracks, label=label, source='auto', **more))
        self._tracks += 1
        self.file.write(f'  {start}\n')
        for shape in shapes:
            flags = dict(keyframe=1, outside=int(shape.outside), occluded=0)
            values = dict(frame=shape.frame, **flags, **shape.values, z_order=z_order)
            self.file.write(f'    {_tag(shape.tag, values)}\n')
            for name, value in attributes.items():
                start = _tag('attribute', dict(name=name))
                self.file.write(f'      {start}{_text(value)}</attribute>\n')
            self.file.write(f'    </{shape.tag}>\n')
        self.file.write('  </track>\n')

    def end(self) -> None:
        """What stands behind the tracks."""
        self.file.write('</annotations>\n')

    def _element(self, tag: str, content: Any, depth: int) -> None:
        """An element with a text, or with those of a mapping or of a list of such."""
        indent = '  ' * depth
        if not isinstance(content, Mapping | list):
            self.file.write(f'{indent}<{tag}>{_text(content)}</{tag}>\n')
            return
        self.file.write(f'{indent}<{tag}>\n')
        for part in content if isinstance(content, list) else [content]:
            for name, inner in part.items():
                self._element(name, inner, depth + 1)
        self.file.write(f'{indent}</{tag}>\n')


def _label(label: Mapping[str, Any]) -> dict[str, Any]:
    """A label of the constructor as an element."""
    attributes = [
        dict(attribute=attribute | dict(values='\n'.join(attribute['values'])))
        for attribute in label['attributes']
    ]
    return dict(name=label['name'], type=label['type'], attributes=attributes)


def _tag(name: str, attributes: Mapping[str, Any]) -> str:
    parts = [f'{key}={quoteattr(_allowed(value))}' for key, value in attributes.items()]
    return f'<{" ".join([name, *parts])}>'


def _text(value: Any) -> str:
    return escape(_allowed(value))


def _allowed(value: Any) -> str:
    """A value as text.

    Raises:
        UserError: it has a character that no xml can hold.
    """
    text = str(value)
    if _FORBIDDEN.search(text):
        raise UserError(f'{one_line(text)}: has a character that xml cannot hold; rename it')
    return text
