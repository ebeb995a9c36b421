import json

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from PIL import Image
from tool import run_tool
from torch.nn import functional

from mmvseg.registry import METRICS, MODELS

SIZE = 64
CONFIG = 'configs/mask2former/mask2former_r50_coco_semantic.py'


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmvseg')


def small_config():
    cfg = Config.fromfile(CONFIG)
    model = cfg.model
    model.backbone.update(depth=18, base_channels=8, init_cfg=None)
    model.data_preprocessor.batch_augments[0].size = (SIZE, SIZE)
    model.train_cfg.num_points = 64
    model.panoptic_head.update(in_channels=[8, 16, 32, 64], num_queries=10)
    model.panoptic_head.pixel_decoder.encoder.num_layers = 1
    model.panoptic_head.transformer_decoder.num_layers = 2
    return cfg


def batch(*maps):
    """Images of noise with these classes of their pixels."""
    samples = []
    for classes in maps:
        sample = DetDataSample(metainfo=dict(img_shape=classes.shape, ori_shape=classes.shape))
        sample.gt_sem_seg = PixelData(sem_seg=torch.from_numpy(classes)[None])
        samples.append(sample)
    images = [torch.randint(256, (3, *c.shape), dtype=torch.uint8) for c in maps]
    return dict(inputs=images, data_samples=samples)


def classes_of_quarters():
    classes = np.full((48, 60), 255, np.uint8)
    classes[:24, :30], classes[:24, 30:], classes[24:, :30] = 0, 79, 170
    return classes


def test_each_class_of_an_image_is_a_target():
    torch.manual_seed(0)
    model = MODELS.build(small_config().model)
    void = np.full((60, 48), 255, np.uint8)
    data = model.data_preprocessor(batch(classes_of_quarters(), void), training=True)
    losses = model.loss(data['inputs'], data['data_samples'])
    # The raw queries, then every layer.
    assert len([name for name in losses if 'loss_cls' in name]) == 3
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.panoptic_head.parameters())

    samples = data['data_samples']
    targets = model.panoptic_head.preprocess_gt(
        [sample.gt_instances for sample in samples], [sample.gt_sem_seg for sample in samples]
    )
    assert targets[0].labels.tolist() == [0, 79, 170]
    corners = [(0, 0), (0, 30), (24, 0)]
    for mask, (top, left) in zip(targets[0].masks, corners, strict=True):
        right = torch.zeros(SIZE, SIZE, dtype=torch.long)
        right[top : top + 24, left : left + 30] = 1
        assert mask.equal(right)
    assert targets[1].masks.shape == (0, SIZE, SIZE)


def fusion_head(num_classes):
    cfg = dict(type='SemanticFusionHead', num_things_classes=0, num_stuff_classes=num_classes)
    return MODELS.build(cfg)


def pixel_by_pixel(class_logits, mask_logits):
    """The class of each pixel, one after the other."""
    queries, height, width = mask_logits.shape
    classes = torch.empty(height, width, dtype=torch.long)
    for y in range(height):
        for x in range(width):
            scores = torch.zeros(class_logits.shape[1] - 1)
            for query in range(queries):
                probabilities = class_logits[query].exp() / class_logits[query].exp().sum()
                scores += probabilities[:-1] / (1 + (-mask_logits[query, y, x]).exp())
            classes[y, x] = scores.argmax()
    return classes


@pytest.mark.parametrize('rescale', [False, True])
def test_a_pixel_takes_the_class_with_the_highest_sum_over_queries(rescale):
    torch.manual_seed(0)
    class_logits, mask_logits = 2 * torch.randn(2, 5, 4), 3 * torch.randn(2, 5, 8, 12)
    shapes = [((6, 12), (9, 14)), ((8, 7), (5, 4))]
    samples = [DetDataSample(metainfo=dict(img_shape=a, ori_shape=b)) for a, b in shapes]
    results = fusion_head(3).predict(class_logits, mask_logits, samples, rescale=rescale)
    for index, ((inside, original), result) in enumerate(zip(shapes, results, strict=True)):
        masks = mask_logits[index, :, : inside[0], : inside[1]]
        if rescale:
            masks = functional.interpolate(masks[None], original, mode='bilinear')[0]
        expected = pixel_by_pixel(class_logits[index], masks)
        assert len(expected.unique()) > 1
        assert result['sem_results'].sem_seg.equal(expected[None])


def test_scores_are_added_in_full_precision():
    # Sums over 300 queries that bfloat16 cannot tell apart.
    class_logits = torch.zeros(300, 3)
    class_logits[:, 1] = 1e-3
    with torch.autocast('cpu', dtype=torch.bfloat16):
        result = fusion_head(2).semantic_postprocess(class_logits, torch.zeros(300, 4, 4))
    assert (result.sem_seg == 1).all()


def test_the_metric_reads_the_predictions():
    torch.manual_seed(0)
    model = MODELS.build(small_config().model).eval()
    data = model.data_preprocessor(batch(classes_of_quarters()))
    with torch.no_grad():
        sample = model.predict(data['inputs'], data['data_samples'])[0]
    predicted = sample.pred_sem_seg.sem_seg[0].numpy()
    assert predicted.shape == (48, 60)
    # Let part of the prediction be right.
    truth = np.where(np.arange(60) < 20, predicted, classes_of_quarters())
    sample.gt_sem_seg = PixelData(sem_seg=torch.from_numpy(truth)[None])
    metric = METRICS.build(small_config().val_evaluator)
    metric.dataset_meta = dict(classes=[f'class {index}' for index in range(171)])
    metric.process({}, [sample.to_dict()])
    known = truth != 255
    overlaps = []
    for index in np.union1d(truth[known], predicted[known]):
        here, there = truth == index, (predicted == index) & known
        overlaps.append((here & there).sum() / (here | there).sum())
    assert 0 < np.mean(overlaps) < 1
    assert metric.evaluate(size=1)['mIoU'] == pytest.approx(100 * np.mean(overlaps), abs=0.01)


@pytest.fixture
def config(tmp_path):
    """The released config, shrunken, on two images a split."""
    cfg = small_config()
    generator = np.random.default_rng(0)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(tmp_path)
        for step in loader.dataset.pipeline:
            for key in {'scale', 'crop_size'} & step.keys():
                step[key] = (SIZE, SIZE)
    for split in ('train2017', 'val2017'):
        for folder in (split, f'stuffthingmaps/{split}'):
            (tmp_path / folder).mkdir(parents=True)
        for name, size in (('wide', (30, 40)), ('tall', (40, 30))):
            image = Image.fromarray(generator.integers(256, size=(*size, 3), dtype=np.uint8))
            image.save(tmp_path / split / f'{name}.jpg')
            classes = Image.fromarray(np.full(size, 181, np.uint8))
            classes.save(tmp_path / 'stuffthingmaps' / split / f'{name}.png')
    cfg.train_cfg.max_iters = 2
    cfg.dump(tmp_path / 'config.py')
    return tmp_path / 'config.py'


def test_the_tools_train_and_measure_it(config, tmp_path):
    work_dir = ['--work-dir', str(tmp_path / 'work')]
    assert run_tool('train', str(config), *work_dir, '--device', 'cpu', '--no-validate') == 0
    checkpoint = tmp_path / 'work' / 'iter_2.pth'
    out = tmp_path / 'metrics.json'
    arguments = [str(config), str(checkpoint), *work_dir, '--device', 'cpu', '--out', str(out)]
    assert run_tool('test', *arguments) == 0
    assert 0 <= json.loads(out.read_text())['mIoU'] <= 100


def test_a_missing_folder_is_named(config, tmp_path, capsys):
    (tmp_path / 'stuffthingmaps').rename(tmp_path / 'maps')
    assert run_tool('train', str(config), '--work-dir', str(tmp_path / 'work')) != 0
    assert 'train_dataloader.dataset.data_prefix.seg_map_path' in capsys.readouterr().err
