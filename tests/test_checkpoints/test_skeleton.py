"""Models without memory for their parameters."""

import torch

from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.config import load_config
from mmvseg.registry import MODELS


def test_skeleton_has_names_and_shapes_of_the_model():
    config = load_config('configs/shapes/tevit_msgshift_shapes.py').model
    skeleton, model = build_skeleton(config), MODELS.build(config)
    shapes = {name: tensor.shape for name, tensor in skeleton.state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in model.state_dict().items()}


def test_skeleton_of_a_large_model_holds_no_weights():
    skeleton = build_skeleton(load_config('configs/tevit/tevit_swin-l_mstrain.py').model)
    assert sum(parameter.numel() for parameter in skeleton.parameters()) == 343_861_820
    held = sum(tensor.nbytes for tensor in skeleton.state_dict().values() if not tensor.is_meta)
    assert held < 2_000_000


def test_building_models_is_unchanged_afterwards():
    build_skeleton(load_config('configs/shapes/minvis_shapes.py').model)
    assert torch.empty(1).device.type == 'cpu'
