"""Small data sets of others, label files, panoptic and semantic sets, and predictions."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import panoptic_sets
from helpers import REPOSITORY
from label_fixtures import FOLDER as LABELS
from page_things import SIZE, shapes, thing
from PIL import Image

#: Sequences of KITTI-STEP by split; of test one alone.
_KITTI = dict(
    train=(0, 1, 3, 4, 5, 9, 11, 12, 15, 17, 19, 20),
    val=(2, 6, 7, 8, 10, 13, 14, 16, 18),
    test=(21,),
)


@thing('task_3.zip', 'LABELS')
def cvat_export(path: Path) -> None:
    """What CVAT writes of a task: annotations.xml and the pictures."""
    with zipfile.ZipFile(LABELS / 'cvat_video.zip') as fixture, zipfile.ZipFile(path, 'w') as task:
        for name in fixture.namelist():
            if name.startswith('src/') and not name.endswith('/'):
                task.writestr(name.removeprefix('src/'), fixture.read(name))


def fixture(name: str, path: Path, inner: str = 'src') -> None:
    """A data set of others as the tests of imports have it."""
    unpacked = path.parent / f'{path.name}.unpacked'
    with zipfile.ZipFile(LABELS / f'{name}.zip') as archive:
        archive.extractall(unpacked)
    path.parent.mkdir(parents=True, exist_ok=True)
    (unpacked / inner).rename(path)
    shutil.rmtree(unpacked)


@thing('data/DAVIS')
def davis(path: Path) -> None:
    fixture('davis', path)


@thing('data/MOSE')
def mose(path: Path) -> None:
    fixture('youtube_vos', path)


@thing('data/BURST')
def burst(path: Path) -> None:
    fixture('burst', path)
    (path / 'val').mkdir()
    (path / 'train.json').rename(path / 'val/all_classes.json')
    (path / 'frames/train').rename(path / 'frames/val')


@thing('data/VIPSeg/VIPSeg_720P', 'data/VIPSeg/VIPSeg', 'data/shapes_vipseg')
def vipseg(path: Path) -> None:
    shapes(path, layout='vipseg')


@thing('data/VSPW_480p', 'data/shapes_vspw')
def vspw(path: Path) -> None:
    shapes(path, layout='vspw')


@thing('data/kitti_step')
def kitti_step(path: Path) -> None:
    maps = np.zeros((*SIZE, 2), int)
    maps[:, 20:30] = 13, 1
    maps[30:, 40:] = 11, 2
    for split, numbers in _KITTI.items():
        panoptic_sets.write_step(path, {f'{n:04d}': [maps] * 2 for n in numbers}, split)
    shutil.rmtree(path / 'panoptic_maps/test')


@thing('data/cityscapes_vps')
def cityscapes_vps(path: Path) -> None:
    ids = np.ones(SIZE, int)
    ids[:, 10:20], ids[30:, 40:] = 300, 70000
    for split in ('train', 'val', 'test'):
        panoptic_sets.write_cityscapes_vps(path, {'0001': [ids] * 6}, split, pictures=True)
    table = REPOSITORY / 'mmvseg/formats/categories/cityscapes_vps.json'
    for file in path.glob('panoptic_gt_*.json'):
        content = json.loads(file.read_text()) | dict(categories=json.loads(table.read_text()))
        file.write_text(json.dumps(content))
    (path / 'panoptic_gt_test_city_vps.json').rename(path / 'panoptic_im_test_city_vps.json')


def write_predictions(truth: str, folder: Path, out: Path) -> None:
    """Write results that are right, of the val split of a set in the working folder of a page."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    root = folder / '/'.join(truth.split('/')[: 3 if 'VIPSeg' in truth else 2])
    if 'VSPW' in truth:
        for video in (root / 'val.txt').read_text().split():
            (out / video).mkdir()
            for mask in (root / 'data' / video / 'mask').iterdir():
                ids = np.array(Image.open(mask))
                Image.fromarray(np.where(ids > 200, 0, np.maximum(ids, 1) - 1)).save(
                    out / video / mask.name
                )
        (out / 'videos.json').write_text('[]')
    elif 'kitti' in truth:
        shutil.copytree(root / 'panoptic_maps/val', out, dirs_exist_ok=True)
    else:
        is_flat = 'cityscapes' in truth
        name = 'panoptic_gt_val_city_vps.json' if is_flat else 'panoptic_gt_VIPSeg_val.json'
        content = json.loads((root / name).read_text())
        (out / 'pred.json').write_text(json.dumps(dict(annotations=content['annotations'])))
        if is_flat:
            (out / 'pan_pred').mkdir()
            for entry in content['annotations']:
                mask = root / 'val/panoptic_video' / entry['file_name']
                shutil.copy(mask, out / 'pan_pred' / f'{entry["image_id"]}.png')
        else:
            for entry in content['annotations']:
                video = entry['video_id']
                shutil.copytree(root / 'panomasksRGB' / video, out / 'pan_pred' / video)
