"""For ``custom_imports``: how runs in several processes end, well or with an error."""

import atexit
import os

import torch.distributed as dist
from mmengine.hooks import Hook
from two_processes import threads_of_gloo_left

from mmvseg.errors import UserError
from mmvseg.registry import HOOKS

if 'RANK' in os.environ:
    atexit.register(lambda: print(f'threads of gloo: {threads_of_gloo_left()}', flush=True))


@HOOKS.register_module()
class FailingHook(Hook):
    """Fails in the process ``rank`` while the others wait for it."""

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if dist.get_rank() == self.rank:
            raise UserError('frame 7 is broken')
