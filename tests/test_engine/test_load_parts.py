"""Starting a training from some parts of other weights."""

import pytest
import torch
import toy

from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file
from mmvseg.errors import UserError


@pytest.fixture
def folder(tmp_path):
    toy.write_videos(tmp_path / 'data')
    toy.write_config(tmp_path)
    return tmp_path


@pytest.fixture
def others(folder):
    """Weights of a model like the one that is trained, all of them 7."""
    model = toy.make_runner(folder / 'toy.py', folder / 'others').model
    state = {name: torch.full_like(value, 7) for name, value in model.state_dict().items()}
    save_checkpoint_file(dict(state_dict=state), folder / 'others.pth')
    return str(folder / 'others.pth')


def start(folder, **options):
    """The model as a training finds it, and as one without other weights does."""
    models = []
    for number, given in enumerate(({}, options)):
        work_dir = folder / f'run_{number}'
        runner = toy.make_runner(folder / 'toy.py', work_dir, randomness__seed=3, **given)
        runner.load_or_resume()
        models.append(runner.model)
    return models[1], models[0]


def test_named_parts_are_taken_and_the_rest_starts_anew(folder, others):
    options = dict(load_parts=['backbone'], allow_missing=['norm', 'head'])
    model, fresh = start(folder, load_from=others, **options)
    assert (model.backbone.weight == 7).all()
    assert (model.backbone.bias == 7).all()
    assert torch.equal(model.head.fc_cls.weight, fresh.head.fc_cls.weight)
    assert torch.equal(model.norm.weight, fresh.norm.weight)


def test_all_is_taken_without(folder, others):
    model, _ = start(folder, load_from=others)
    assert all((value == 7).all() for value in model.state_dict().values())


def test_what_is_left_out_has_to_be_allowed(folder, others):
    with pytest.raises(UserError, match='nothing fills the sub-module head'):
        start(folder, load_from=others, load_parts=['backbone', 'norm'])


def test_unknown_part(folder, others):
    with pytest.raises(
        UserError, match=r"no weights of 'neck', which load_parts asks for; it has "
    ):
        start(folder, load_from=others, load_parts=['backbone', 'neck'])


def test_continued_training_takes_all(folder):
    toy.make_runner(folder / 'toy.py', folder / 'work', train_cfg__max_iters=2).train()
    trained = load_checkpoint_file(folder / 'work/iter_2.pth')['state_dict']
    options = dict(resume=True, load_parts=['backbone'], train_cfg__max_iters=2)
    continued = toy.make_runner(folder / 'toy.py', folder / 'work', **options)
    continued.train()
    for name, value in continued.model.state_dict().items():
        assert torch.equal(value, trained[name])


def test_parts_are_a_list(folder):
    with pytest.raises(UserError, match='load_parts: must be a list of texts'):
        toy.make_runner(folder / 'toy.py', folder / 'work', load_parts='backbone')
