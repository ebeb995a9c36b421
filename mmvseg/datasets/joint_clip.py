"""Several data sets as one, each drawn from as often as its weight says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmvseg.errors import UserError
from mmvseg.registry import DATASETS

from .class_names import check_same_classes
from .video_dataset import ClipIndex, VideoDataset


@DATASETS.register_module()
class JointClipDataset(Dataset):
    """Clips of several data sets with the same classes, e.g. of videos and of COCO's images.

    An item's number counts through the data sets in turn. ``JointClipSampler`` draws by the
    weights.

    Args:
        datasets: video datasets by a name of one's own choice; the first one's classes count.
        weights: how often each is drawn from, relative to the others, by the same names.

    Example:
        >>> train_dataloader = dict(
        ...     sampler=dict(type='JointClipSampler'),
        ...     dataset=dict(
        ...         type='JointClipDataset',
        ...         datasets=dict(
        ...             video=dict(type='YouTubeVISDataset'), coco=dict(type='CocoClipDataset')
        ...         ),
        ...         weights=dict(video=0.75, coco=1.0),
        ...     ),
        ... )

    Raises:
        UserError: names or weights do not fit, or classes or lengths of clips differ.
    """

    def __init__(
        self, datasets: Mapping[str, VideoDataset | dict], weights: Mapping[str, float]
    ) -> None:
        if set(datasets) != set(weights) or not datasets:
            raise UserError(
                f'dataset.weights names {", ".join(weights) or "nothing"}, but dataset.datasets '
                f'has {", ".join(datasets) or "nothing"}: give each a weight'
            )
        if not all(weight > 0 for weight in weights.values()):
            raise UserError(f'dataset.weights = {dict(weights)}: weights are numbers above 0')
        self.datasets: dict[str, VideoDataset] = {
            name: DATASETS.build(part) if isinstance(part, Mapping) else part
            for name, part in datasets.items()
        }
        self.weights = np.array([weights[name] for name in datasets], np.float64)

    def full_init(self) -> None:
        """Read the annotation files."""
        for dataset in self.datasets.values():
            dataset.full_init()
        check_same_classes({name: part.metainfo for name, part in self.datasets.items()})
        self._check_same_length()
        self._parts = list(self.datasets.values())
        #: Number of items of each data set, (D,).
        self.sizes = np.array([len(part) for part in self._parts])
        self._stops = self.sizes.cumsum()
        #: Number of the first item of each data set, (D,).
        self.starts = self._stops - self.sizes
        #: Whether each item is wider than high, (len,).
        self.item_is_wide = np.concatenate([part.item_is_wide for part in self._parts])

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes, category ids and palette."""
        return next(iter(self.datasets.values())).metainfo

    def __len__(self) -> int:
        return int(self._stops[-1])

    def __getitem__(self, index: int | ClipIndex) -> Any:
        number = index.index if isinstance(index, ClipIndex) else index
        source = int(np.searchsorted(self._stops, number, side='right'))
        local = number - int(self.starts[source])
        item = index._replace(index=local) if isinstance(index, ClipIndex) else local
        return self._parts[source][item]

    def _check_same_length(self) -> None:
        lengths = {name: dataset.clip.num_frames for name, dataset in self.datasets.items()}
        first, *others = lengths
        for name in others:
            if lengths[name] != lengths[first]:
                raise UserError(
                    f'dataset.datasets: clip.num_frames of {first} and {name} differ '
                    f'({lengths[first]} and {lengths[name]}); they have to be the same to train on '
                    'both'
                )
