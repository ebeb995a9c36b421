"""The errors of a video as a list to look at: where each is, what it costs, why it is one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .perfecting import with_perfect_extent, with_perfect_masks
from .tube_kinds import KINDS, TubeKinds
from .tubes import Tubes, tube_iou
from .video_overlap import VideoOverlap

#: A right tube is listed, too, if one kind of mending would add so much to its IoU.
NOTABLE_GAIN = 0.1


@dataclass(frozen=True)
class TubeError:
    """One error of a video.

    Attributes:
        kind: of :data:`.tube_kinds.KINDS`.
        video_id: the video's id.
        track: position of the track in the results, None if it is missed.
        object: id of the annotation, None where there is none.
        frame: where to look first, from 0.
        cost: in [0, 1], for ranking: of a missed object what the best track lacks in IoU, the
            score of a wrong track, and of a right one its score times what it would gain in IoU.
        reason: one sentence.
    """

    kind: str
    video_id: int
    track: int | None
    object: int | None
    frame: int
    cost: float
    reason: str


def tube_errors(
    found: TubeKinds,
    tubes: Tubes,
    shown: np.ndarray,
    relinked_iou: np.ndarray,
    overlap: VideoOverlap,
    class_names: Mapping[int, str],
) -> list[TubeError]:
    """List the errors of the tracks of a video, the worst first.

    Args:
        found: what is wrong with the D tracks.
        tubes: the D tracks.
        shown: object that each of their masks shows, -1 for none, (D, T).
        relinked_iou: best IoU that a relinked tube of the same class has with each object, (D, G).
        overlap: the video.
        class_names: by category id.
    """
    writer = _Writer(found, tubes, shown, overlap, class_names)
    errors = [*writer.wrong(), *writer.missed(), *writer.flawed(relinked_iou)]
    return sorted(errors, key=lambda error: -error.cost)


class _Writer:
    def __init__(
        self,
        found: TubeKinds,
        tubes: Tubes,
        shown: np.ndarray,
        overlap: VideoOverlap,
        class_names: Mapping[int, str],
    ) -> None:
        self.found, self.tubes, self.shown, self.overlap = found, tubes, shown, overlap
        self.class_names = class_names

    def wrong(self) -> Iterator[TubeError]:
        """The tracks that are false positives."""
        for n in np.flatnonzero(self.found.kinds != ''):
            kind = str(self.found.kinds[n])
            yield self._error(kind, n, float(np.clip(self.tubes.scores[n], 0, 1)))

    def missed(self) -> Iterator[TubeError]:
        """The objects that no track is on."""
        for g in np.flatnonzero(self.found.missed):
            entry = self.overlap.objects[g]
            frames = np.flatnonzero(self.overlap.object_areas[g])
            name = self.class_names[entry.category_id]
            best = self.found.matching.iou[:, g].max(initial=0)
            yield TubeError(
                kind='missed',
                video_id=self.overlap.video.id,
                track=None,
                object=entry.id,
                frame=int(frames[0]) if len(frames) else 0,
                cost=float(1 - best),
                reason=f'no track is right about this {name}: the best IoU is {best:.2f}',
            )

    def flawed(self, relinked_iou: np.ndarray) -> Iterator[TubeError]:
        """The tracks that are right and could be notably better."""
        targets = np.where(self.found.matching.right, self.found.targets, -1)
        by_kind = dict(
            association=relinked_iou,
            mask=tube_iou(with_perfect_masks(self.tubes, self.overlap, targets), self.overlap),
            extent=tube_iou(with_perfect_extent(self.tubes, self.overlap, targets), self.overlap),
        )
        for n in np.flatnonzero(targets >= 0):
            before = self.found.matching.iou[n, targets[n]]
            gains = {kind: iou[n, targets[n]] - before for kind, iou in by_kind.items()}
            kind = max(gains, key=gains.__getitem__)
            if gains[kind] >= NOTABLE_GAIN:
                yield self._error(kind, n, float(np.clip(self.tubes.scores[n], 0, 1) * gains[kind]))

    def _error(self, kind: str, n: int, cost: float) -> TubeError:
        target = int(self.found.targets[n])
        return TubeError(
            kind=kind,
            video_id=self.overlap.video.id,
            track=self.overlap.tracks[n].index,
            object=self.overlap.objects[target].id if target >= 0 else None,
            frame=self._frame(kind, n, target),
            cost=cost,
            reason=self._reason(kind, n, target),
        )

    def _frame(self, kind: str, n: int, target: int) -> int:
        """Where an error shows first."""
        covered = self.tubes.areas[n] > 0
        frames = np.flatnonzero(covered)
        if kind == 'association':
            frames = self._broken_links(n, target)
        elif kind in ('extent', 'mask'):
            there = self.overlap.object_areas[target] > 0
            bad = there != covered if kind == 'extent' else there & covered & (self.shown[n] == -1)
            frames = np.append(np.flatnonzero(bad), frames)
        return int(frames[0]) if len(frames) else 0

    def _broken_links(self, n: int, target: int) -> np.ndarray:
        """Frames where a track goes over to another object, or an object to another track."""
        shown = self.shown[n]
        frames = np.flatnonzero(shown >= 0)
        crossings = frames[1:][np.diff(shown[frames]) != 0]
        if len(crossings):
            return crossings
        by_others = np.delete(self.shown, n, axis=0) == target
        followed = by_others.any(axis=0) & (shown != target)
        before = followed[: frames[0]].any()
        return frames if before else np.flatnonzero(followed)

    def _reason(self, kind: str, n: int, target: int) -> str:
        name = self.class_names[int(self.tubes.category_ids[n])]
        if target < 0:
            iou = self.found.matching.iou[n].max(initial=0)
            return f'this {name} fits no object: its best IoU is {iou:.2f}'
        entry = self.overlap.objects[target]
        truth = self.class_names[entry.category_id]
        iou = self.found.matching.iou[n, target]
        words = dict(
            association=self._link_words(n, target),
            mask=f'the masks of this {name} are poor: IoU {iou:.2f} over the video',
            extent=f'this {name} is not followed as long as it is there, or longer: IoU {iou:.2f}',
            duplicate=f'this {name} is already found by another track',
        )
        words['class'] = f'this {truth} is taken for a {name}: IoU {iou:.2f}'
        return words[kind]

    def _link_words(self, n: int, target: int) -> str:
        name = self.class_names[int(self.tubes.category_ids[n])]
        num_objects = len({*self.shown[n].tolist()} - {-1})
        if num_objects > 1:
            return f'this {name} shows {num_objects} objects, one after the other'
        num_tracks = int((self.shown == target).any(axis=1).sum())
        return f'this {name} is one of {num_tracks} tracks that show the same object in turn'


def counts_by_kind(errors: list[TubeError]) -> dict[str, int]:
    """How many errors there are of each kind."""
    return {kind: sum(error.kind == kind for error in errors) for kind in KINDS}
