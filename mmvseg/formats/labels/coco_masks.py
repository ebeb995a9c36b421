"""Masks in the three ways of COCO, taken into a video."""

from typing import Any, NamedTuple

from mmvseg.formats.rle import MalformedRLE, RunLengthCode, rle_areas, to_rle

from .coco_file import Segmentation
from .outlines import box_corners, drawn_polygon, encode_drawn, polygon_rule, union
from .video_builder import VideoBuilder


class _Mask(NamedTuple):
    """A mask that is to be checked; None says that the object is absent.

    ``contour`` is the mask if its polygons are made of pixels, and not of corners.
    """

    track: str
    label: str
    frame: int
    rle: dict | None
    more: dict[str, Any]
    contour: dict | None = None


class MaskCollector:
    """Takes the masks of a video.

    Run-length codes are checked all at once: one by one takes ten times as long, and unchecked
    codes can hang their decoder.

    Polygons have corners of pixels for points. Those of supervision have pixels, which are part of
    the mask; nothing says so but their areas, which count all of these. It is believed where it is
    true of all polygons of a video.

    Args:
        builder: of the video.
    """

    def __init__(self, builder: VideoBuilder) -> None:
        self.builder = builder
        self._size = [builder.height, builder.width]
        self._found: list[_Mask] = []
        self._may_be_contours = True

    def add(
        self,
        track: str,
        label: str,
        frame: int,
        segmentation: Segmentation,
        box: list[float] | None = None,
        area: object = None,
        **more: Any,
    ) -> None:
        """Take a mask, or a part of one.

        Args:
            track: what the object is told from others by.
            label: its class.
            frame: 0-based position.
            segmentation: the mask.
            box: [x, y, width, height], for objects that have nothing else.
            area: as the file has it.
            **more: as in :meth:`VideoBuilder.add`.
        """
        given = self._sound_parts(segmentation, box, track, frame)
        if given == []:
            return
        try:
            rle = None if given is None else to_rle(given, self._size)
        except ValueError as error:
            self._bad(str(error), track, frame)
            return
        contour = None
        if self._may_be_contours and segmentation and isinstance(given, list):
            contour = self._contour(given, area)
            self._may_be_contours = contour is not None
        self._found.append(_Mask(track, label, frame, rle, more, contour))

    def end(self) -> VideoBuilder:
        """The video's builder, which has all sound masks."""
        if self._may_be_contours and any(mask.contour for mask in self._found):
            self._found = [mask._replace(rle=mask.contour or mask.rle) for mask in self._found]
            self.builder.report.note(
                f'{self.builder.file}: polygons are outlines of pixels, as supervision writes '
                'them: their areas say so'
            )
        codes = [mask.rle for mask in self._found if mask.rle is not None]
        check = not _are_sound(codes)
        for mask in self._found:
            if mask.rle is None:
                self.builder.declare(mask.track, mask.label, frame=mask.frame, **mask.more)
            elif not check or self._is_sound(mask):
                self.builder.add(mask.track, mask.label, mask.frame, mask.rle, **mask.more)
        self._found = []
        return self.builder

    def _sound_parts(
        self, segmentation: Segmentation, box: list[float] | None, track: str, frame: int
    ) -> RunLengthCode | list[list[float]] | None:
        """What is given of a mask: None if the object is absent, nothing if all is broken."""
        if isinstance(segmentation, RunLengthCode):
            return segmentation if segmentation.counts else None
        if segmentation and any(segmentation):  # some tools write [[]] for nothing
            return self._polygons(segmentation, track, frame)
        return self._box(box)

    def _polygons(self, polygons: list[list[float]], track: str, frame: int) -> list[list[float]]:
        """The sound ones of an object's polygons."""
        kept = []
        for polygon in polygons:
            if len(polygon) % 2:
                rule = f'a polygon of {len(polygon)} numbers; x and y stand by turns'
            else:
                rule = polygon_rule([*zip(polygon[::2], polygon[1::2], strict=True)], *self._size)
            if rule is None:
                kept.append(polygon)
            else:
                self._bad(rule, track, frame)
        return kept

    def _contour(self, polygons: list[list[float]], area: object) -> dict | None:
        """The mask of polygons of pixels; None if they are of corners."""
        if not isinstance(area, int | float) or any(x % 1 for one in polygons for x in one):
            return None
        points = [[*zip(one[::2], one[1::2], strict=True)] for one in polygons]
        rle = union([encode_drawn(drawn_polygon(one, *self._size)) for one in points])
        return rle if rle_areas([rle])[0] == area else None

    def _box(self, box: list[float] | None) -> list[list[float]] | None:
        """The outline of a box with an area, None of others."""
        if box is None or len(box) != 4 or min(box[2:]) <= 0:
            return None
        self.builder.report.note(
            f'{self.builder.file}: there are objects with a box and no mask: their mask is the box'
        )
        return [box_corners(*box).ravel().tolist()]

    def _is_sound(self, mask: _Mask) -> bool:
        try:
            rle_areas([mask.rle])
        except MalformedRLE as error:
            self._bad(str(error), mask.track, mask.frame)
            return False
        return True

    def _bad(self, rule: str, track: str, frame: int) -> None:
        builder = self.builder
        builder.report.bad(builder.file, rule, video=builder.name, track=track, frame=frame)


def _are_sound(codes: list[dict]) -> bool:
    try:
        rle_areas(codes)
    except MalformedRLE:
        return False
    return True
