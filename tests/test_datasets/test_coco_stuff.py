import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmvseg.registry import DATASETS

# pixel values of a released map, COCO's category ids less one
RELEASED = [[0, 10, 12], [89, 91, 181], [255, 105, 255]]
NAMES = [
    ['person', 'fire hydrant', 'stop sign'],
    ['toothbrush', 'banner', 'wood'],
    [None, 'clouds', None],
]


@pytest.fixture
def dataset(tmp_path):
    """Build COCO-Stuff from two maps, one of them with a palette."""
    init_default_scope('mmvseg')
    cfg = Config.fromfile('configs/_base_/datasets/coco_semantic.py').val_dataloader.dataset
    cfg.data_root = str(tmp_path)
    pixels = np.array(RELEASED, np.uint8)
    maps = [Image.fromarray(pixels), Image.fromarray(pixels)]
    maps[1].putpalette(np.random.default_rng(0).integers(256, size=768).tolist())
    for folder in cfg.data_prefix.values():
        (tmp_path / folder).mkdir(parents=True)
    for name, classes in zip('ba', maps, strict=True):
        classes.save(tmp_path / cfg.data_prefix.seg_map_path / f'{name}.png')
        Image.new('RGB', (3, 3)).save(tmp_path / cfg.data_prefix.img_path / f'{name}.jpg')

    def build(**options):
        return DATASETS.build(dict(cfg, **options))

    return build


def expected(classes):
    return [[classes.index(name) if name in classes else 255 for name in row] for row in NAMES]


def test_pixels_of_released_maps_become_classes(dataset):
    data = dataset()
    classes = data.metainfo['classes']
    assert len(classes) == 171
    for item in data:
        assert item['data_samples'].gt_sem_seg.sem_seg[0].tolist() == expected(classes)


def test_images_come_in_order_of_their_names(dataset):
    paths = [dataset().get_data_info(index)['img_path'] for index in range(2)]
    assert [path[-5:] for path in paths] == ['a.jpg', 'b.jpg']


def test_classes_left_out_have_no_pixels(dataset):
    chosen = ('wood', 'person')
    sample = dataset(metainfo=dict(classes=chosen))[0]['data_samples']
    assert sample.gt_sem_seg.sem_seg[0].tolist() == expected(chosen)
