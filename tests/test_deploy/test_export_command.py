"""What the command line of mmvseg export takes and refuses, without an export."""

import argparse
import subprocess
import sys

import pytest
import token_models
from deployed import SIZE, build_dvis, build_tevit, manifest_of
from mmengine.config import Config

from mmvseg.commands.export import add_arguments, frame_size
from mmvseg.deploy.export import exporting, plans
from mmvseg.deploy.export.describing import require_exportable, resizing
from mmvseg.deploy.export.tracing import require_exporter
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_intermixed_args(arguments)


def test_the_checkpoint_may_be_left_out_after_a_name():
    args = parsed('minvis_r50_ytvis21', 'a.onnx')
    assert (args.config, args.checkpoint, args.out) == ('minvis_r50_ytvis21', None, 'a.onnx')
    args = parsed('c.py', '--size', '360X640', 'c.pth', 'a.onnx')
    assert (args.checkpoint, args.out, args.size) == ('c.pth', 'a.onnx', (360, 640))


@pytest.mark.parametrize('text', ['720', '720x', '0x5', '-1x5', 'axb', '1x2x3', '7.5x3'])
def test_sizes_that_are_none(text):
    with pytest.raises(argparse.ArgumentTypeError, match='is no HEIGHTxWIDTH, such as 720x1280'):
        frame_size(text)


@pytest.mark.parametrize(
    ('config', 'model'),
    [
        ('queryinst_r50_fpn_100_coco', 'QueryInst'),
        ('mask2former_r50_coco_instance', 'Mask2Former'),
        ('eomt_vit-b_coco_panoptic_640', 'ImageEoMT'),
    ],
)
def test_models_of_images_are_refused(config, model):
    with pytest.raises(UserError, match=f'it.py: {model} segments single images; models of videos'):
        require_exportable(load_config(config), 'it.py')


def test_what_a_pipeline_may_do():
    cfg = load_config('minvis_r50_ytvis21')
    assert resizing(cfg) == dict(scale=(1333, 360), backend='pillow')
    resize = next(t for t in cfg.test_dataloader.dataset.pipeline if t.type == 'ResizeClip')
    resize.backend = 'torch'
    with pytest.raises(
        UserError, match='needs torch, which exported models do without; give it ba'
    ):
        resizing(cfg)
    resize.backend = 'cv2'
    assert resizing(cfg) == dict(scale=(1333, 360), backend='cv2')
    cfg.test_dataloader.dataset.pipeline.insert(1, dict(type='FlipClip'))
    with pytest.raises(UserError, match='pipeline: FlipClip cannot be exported; what is exported'):
        resizing(cfg)


def test_outputs_fit_the_number_of_networks(tmp_path):
    minvis, online = (manifest_of(build_dvis(kind)) for kind in ('MinVIS', 'DVISOnline'))
    with pytest.raises(UserError, match=r'folder: a MinVIS is one network; give a file NAME\.onnx'):
        [*exporting.write_networks(build_dvis('MinVIS'), minvis, tmp_path / 'folder', SIZE)]
    with pytest.raises(UserError, match=r'is several networks \(frame, tracker\); give a folder'):
        [*exporting.write_networks(build_dvis('MinVIS'), online, tmp_path / 'a.onnx', SIZE)]
    assert not [*tmp_path.iterdir()]


def test_options_change_the_description():
    model = build_dvis('MinVIS')
    assert manifest_of(model, (70, 90)).input.size == (96, 96)
    assert manifest_of(model, (70, 90), dynamic=True).input.size is None
    with pytest.raises(UserError, match='--frames: a MinVIS takes one frame after the other'):
        manifest_of(model, num_frames=4)
    assert manifest_of(build_tevit(), num_frames=4).clip.fixed
    assert not manifest_of(build_tevit()).clip.fixed
    assert manifest_of(build_tevit(), num_frames=8).clip.overlap == 2
    sharing = build_tevit(clip_overlap=3)
    assert manifest_of(sharing, num_frames=4).clip.overlap == 3
    with pytest.raises(
        UserError, match='--frames 3: clips of the config share 3 frames; give more'
    ):
        manifest_of(sharing, num_frames=3)


def test_learned_positions_have_one_size():
    model = token_models.build('EoMT')
    with pytest.raises(UserError, match=r'EoMT: its transformer has learned positions .*--dynamic'):
        [*plans.plans(model, manifest_of(model, dynamic=True), SIZE)]


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(UserError, match='needs the package onnx, which is not installed; run: pip'):
        require_exporter()
    code = "import sys; sys.modules['onnxruntime'] = None\nfrom mmvseg.deploy import DeployedModel"
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert 'mmvseg.deploy needs the package onnxruntime, which is not installed' in ended.stderr


def test_a_config_without_a_model_is_refused():
    with pytest.raises(UserError, match='model'):
        require_exportable(Config(dict(test_dataloader=dict(dataset={}))), 'it.py')
