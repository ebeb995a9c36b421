"""EoMT on images: training on packed images, results as mmdet's metrics take them."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample

SIDE = 64
FILE = (90, 120)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmvseg')


def small_model(task):
    cfg = Config.fromfile(f'configs/eomt/eomt_vit-l_coco_{task}_640.py').model
    cfg.backbone.update(embed_dims=32, depth=5, num_heads=2, grid_size=4)
    cfg.panoptic_head.update(embed_dims=32, num_queries=10)
    cfg.criterion.num_points = 64
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model


def batch(annotated=True):
    """Two images of 48 x 64 with one object each."""
    samples = []
    for label in (3, 70):
        sample = VideoDataSample(metainfo=dict(img_id=label, img_shape=(48, 64), ori_shape=FILE))
        masks = torch.zeros(1, SIDE, SIDE, dtype=torch.uint8)
        masks[:, 10:30, 10:30] = 1
        if annotated:
            sample.gt_instances = [
                InstanceData(
                    bboxes=torch.tensor([[10.0, 10, 30, 30]]),
                    labels=torch.tensor([label]),
                    masks=masks,
                    instance_ids=torch.arange(1),
                )
            ]
        samples.append(sample)
    images = [torch.randint(256, (1, 3, SIDE, SIDE), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def test_it_trains_on_packed_images():
    model = small_model('instance')
    data = model.data_preprocessor(batch(), training=True)
    losses = model(**data, mode='loss')
    assert len([name for name in losses if 'loss_ce' in name]) == 5  # before each block, and final
    sum(losses.values()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize('task', ['instance', 'panoptic'])
def test_results_have_the_size_of_the_file(task):
    model = small_model(task).eval()
    with torch.no_grad():
        model.panoptic_head.cls_embed.bias[5] = 20  # so that something is sure enough
    results = model.test_step(batch(annotated=False))
    assert [result.img_id for result in results] == [3, 70]
    for result in results:
        assert ('pred_instances' in result) == (task == 'instance')
        if task == 'instance':
            assert result.pred_instances.masks.shape == (100, *FILE)
            assert (result.pred_instances.labels == 5).any()
            assert (result.pred_instances.scores <= 1).all()
        else:
            assert result.pred_panoptic_seg.sem_seg.shape == (1, *FILE)
            assert set((result.pred_panoptic_seg.sem_seg % 1000).unique().tolist()) <= {5, 133}


def test_the_result_of_an_image_does_not_depend_on_its_batch():
    model = small_model('instance').eval()
    data = batch(annotated=False)
    together = model.test_step(data)
    for index, expected in enumerate(together):
        (alone,) = model.test_step({key: values[index : index + 1] for key, values in data.items()})
        torch.testing.assert_close(
            alone.pred_instances.scores.sort().values, expected.pred_instances.scores.sort().values
        )


def test_a_checkpoint_fits_the_models_of_videos():
    model = small_model('panoptic')
    cfg = Config.fromfile('configs/videomt/videomt_vit-l_ytvis19_segmenter.py').model
    cfg.backbone = Config.fromfile('configs/eomt/eomt_vit-l_coco_panoptic_640.py').model.backbone
    cfg.backbone.update(embed_dims=32, depth=5, num_heads=2, grid_size=4)
    cfg.panoptic_head.update(embed_dims=32, num_queries=10)
    ours, theirs = (
        {name: value.shape for name, value in network.state_dict().items()}
        for network in (model, MODELS.build(cfg))
    )
    new = {'query_updater.weight', 'query_updater.bias'}
    assert theirs.keys() - ours == new
    assert ours.keys() - theirs == {'mask_probabilities'}
    differing = {name for name in ours.keys() & theirs if ours[name] != theirs[name]}
    assert differing == {'panoptic_head.cls_embed.weight', 'panoptic_head.cls_embed.bias'}
