"""The schedules of VidEoMT, PMT and EoMT as their configs give them."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from query_vits import query_model

from mmvseg.engine.hooks import MaskAnnealingHook
from mmvseg.registry import HOOKS, PARAM_SCHEDULERS

FOLDER = Path('configs/_base_/schedules')
VIDEO = [f'videomt_{steps}k' for steps in (40, 60, 160)]
FROZEN = [f'pmt_{steps}k' for steps in (20, 40, 60)]
IMAGE = ['eomt_coco', 'eomt_coco_s-b', 'eomt_coco_dinov3']


def config(name):
    init_default_scope('mmvseg')
    return Config.fromfile(FOLDER / f'{name}.py')


def optimizer_of(cfg, model):
    """AdamW as the config sets it up, without mixed precision, which needs a GPU."""
    plain = {key: cfg.optim_wrapper[key] for key in cfg.optim_wrapper if key != 'type'}
    for key in ('dtype', 'loss_scale'):
        plain.pop(key)
    return build_optim_wrapper(model, dict(plain, type='OptimWrapper'))


def first_rates(cfg, model, steps):
    """The least and the largest rate in the first steps."""
    wrapper = optimizer_of(cfg, model)
    scheduler = PARAM_SCHEDULERS.build(
        dict(cfg.param_scheduler, optimizer=wrapper, end=cfg.train_cfg.max_iters)
    )
    found = []
    for _ in range(steps):
        rates = [group['lr'] for group in wrapper.optimizer.param_groups]
        found.append((min(rates), max(rates)))
        wrapper.optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize('name', [*VIDEO, *FROZEN, *IMAGE])
def test_length_and_precision(name):
    cfg = config(name)
    image = name in IMAGE
    steps = 12 * 7391 if image else int(name.split('_')[1].removesuffix('k')) * 1000
    assert cfg.train_cfg.max_iters == steps
    assert cfg.auto_scale_lr.base_batch_size == (16 if image else 8)
    wrapper = cfg.optim_wrapper
    assert wrapper.type == 'AmpOptimWrapper'
    assert (wrapper.dtype, wrapper.loss_scale) == ('float16', 'dynamic')
    assert wrapper.get('clip_grad') == (dict(max_norm=0.01, norm_type=2) if image else None)
    assert wrapper.optimizer.weight_decay == 0.05


@pytest.mark.parametrize('name', VIDEO)
def test_videomt(name):
    rates = first_rates(config(name), query_model(depth=3), 1502)
    assert rates[0] == (0, 0)
    assert rates[250] == (0, pytest.approx(5e-5))  # the encoder waits
    assert rates[501] == (pytest.approx(0.36 * 1e-7), pytest.approx(1e-4, rel=1e-3))
    assert rates[1500] == (pytest.approx(0.36e-4), pytest.approx(1e-4))


@pytest.mark.parametrize('name', FROZEN)
def test_pmt(name):
    rates = first_rates(config(name), query_model('PMT', depth=4), 6002)
    assert rates[0] == (0, 0)
    assert rates[3000] == (pytest.approx(5e-5), pytest.approx(5e-5))
    assert rates[6000] == (1e-4, 1e-4)
    assert rates[6001][1] < 1e-4


@pytest.mark.parametrize(
    ('name', 'warm_up', 'lr', 'lowest'),
    [
        ('eomt_coco', (500, 1000), 1e-4, 0.8**2),
        ('eomt_coco_s-b', (500, 1000), 1e-4, 0.8**2),
        ('eomt_coco_dinov3', (2000, 3000), 2e-4, 0.8**2),
    ],
)
def test_eomt(name, warm_up, lr, lowest):
    cfg = config(name)
    rates = first_rates(cfg, query_model('EoMT', depth=3, num_query_blocks=2), sum(warm_up) + 1)
    assert rates[warm_up[0] - 1] == (0, pytest.approx(lr, rel=3e-3))
    assert rates[-1] == (pytest.approx(lowest * lr), pytest.approx(lr))
    groups = optimizer_of(
        cfg, query_model('EoMT', depth=3, num_query_blocks=2)
    ).optimizer.param_groups
    multipliers = {round(group['lr'] / lr, 9) for group in groups if group['encoder']}
    assert multipliers == ({1, 0.64} if 'dinov3' in name else {1, 0.8, 0.64})


@pytest.mark.parametrize(('name', 'blocks'), [*zip(IMAGE, (4, 3, 4), strict=True)])
def test_masks_end_before_the_training(name, blocks):
    cfg = config(name)
    (hook,) = (HOOKS.build(hook) for hook in cfg.custom_hooks)
    assert isinstance(hook, MaskAnnealingHook)
    assert len(hook.starts) == len(hook.ends) == blocks
    assert hook.ends[-1] == 73910 < cfg.train_cfg.max_iters
