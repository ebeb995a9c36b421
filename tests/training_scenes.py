"""Logs of trainings, to test the page that shows them."""

from mmvseg.formats.training_log import Curve, TrainingLog
from mmvseg.pages.training import TrainingRun, write_training_page

EVIL = '</script><img src=x onerror=alert(1)>"\'&\u2028'
STEPS = [10, 20, 30, 40]


def curve(*values, steps=STEPS):
    return Curve(list(steps[: len(values)]), [float(value) for value in values])


def run(name='first', starts=('20260101_000000',), **changes):
    """A run with the numbers of a model of two decoder layers; ``changes`` by name, None for none.

    Names with ``AP`` are of validation.
    """
    train = {
        'lr': curve(0.1, 0.2, 0.1, 0),
        'd0.loss_mask': curve(4, 3, 2, 1),
        'loss_mask': curve(3, 2, 1, 0.5),
        'loss': curve(7, 5, 3, 1.5),
        'grad_norm': curve(9, 8, 9, 8),
        'time': curve(1, 1, 1, 1),
    }
    val = {'vis/AP': curve(0.2, 0.6, 0.5, steps=[20, 30, 40]), 'time': curve(2, steps=[20])}
    for key, value in changes.items():
        (val if 'AP' in key else train)[key] = value
    log = TrainingLog(
        list(starts),
        {key: value for key, value in train.items() if value},
        {key: value for key, value in val.items() if value},
    )
    return TrainingRun(name, f'/runs/{name}', log)


def write(folder, *runs):
    write_training_page(folder, runs)
    return (folder / 'index.html').read_text(encoding='utf-8')
