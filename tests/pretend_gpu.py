"""A GPU that is none: tensors that say they are on one, and what would make the CPU wait for it.

Tensors are marked, their values stay where they are. Each call of torch's Python interface is seen
on its way: devices are tracked through it, mixing them is an error as on a GPU, and calls that
transfer values or read a size back are noted with the function that makes them.
"""

import sys
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map_only

CUDA = torch.device('cuda', 0)
_TORCH = str(Path(torch.__file__).parent)
_SELF = __file__

#: Their result is on the CPU, so the CPU waits for it.
_DOWNLOADS = {
    '__array__', '__bool__', '__float__', '__index__', '__int__', 'item', 'numpy', 'tolist',
    'allclose', 'equal', 'is_nonzero',
}  # fmt: skip
#: The size of their result depends on values.
_COUNTING = {'argwhere', 'bincount', 'masked_select', 'nonzero', 'unique', 'unique_consecutive'}
#: Numbers among their arguments must be known to the CPU.
_SHAPING = {
    'arange', 'expand', 'full', 'interpolate', 'narrow', 'new_empty', 'new_ones', 'new_zeros',
    'pad', 'repeat', 'reshape', 'split', 'unflatten', 'view', 'zeros',
}  # fmt: skip
_MIXING = {'copy_', 'expand_as', 'to', 'type_as', 'view_as'}
_PROPERTIES = {'device': CUDA, 'is_cuda': True, 'is_cpu': False}


class OnGPU(Tensor):
    """A tensor whose values a GPU would hold."""


class Pinned(Tensor):
    """A tensor in memory of the CPU that a GPU may read when it likes."""


class PretendGPU(TorchFunctionMode):
    """While it is entered, ``cuda`` can be used as a device.

    Attributes:
        waits: how often the CPU would have waited, by (file, function, kind); kinds are
            ``download``, ``upload`` (of memory that is not pinned), ``count`` (a result whose size
            depends on values) and ``size`` (a size read from a tensor).
        pinned: shapes of the tensors that were pinned.
    """

    def __init__(self):
        super().__init__()
        self.waits = Counter()
        self.pinned = []

    def place(self, model):
        """Move a model there."""
        for module in model.modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        tensors[name] = tensor.detach().as_subclass(OnGPU)
        return model

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name == '__get__':
            owner = func.__self__.__name__
            if owner in _PROPERTIES and isinstance(args[0], OnGPU):
                return _PROPERTIES[owner]
        if name in ('__set__', 'as_subclass', '__repr__'):
            return func(*args, **kwargs)
        if name == 'pin_memory':
            self.pinned.append(tuple(args[0].shape))
            return args[0].clone().as_subclass(Pinned)
        return self._call(func, name, args, kwargs)

    def _call(self, func, name, args, kwargs):
        leaves = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor)]
        on_gpu = [isinstance(x, OnGPU) for x in leaves]
        target = self._target(name, args, kwargs)
        self._note(name, args, kwargs, leaves, on_gpu, target)
        if any(on_gpu) and name not in _MIXING | {'__setitem__', '__getitem__'}:
            foreign = [x for x, there in zip(leaves, on_gpu, strict=True) if not there and x.dim()]
            assert not foreign, f'{name} at {_place()}: tensors on both devices'
        args, kwargs = tree_map_only(Tensor, _plain, (args, kwargs))
        args, kwargs = tree_map_only(
            torch.device, lambda device: torch.device('cpu'), (args, kwargs)
        )
        args, kwargs = tree_map_only(
            str, lambda text: 'cpu' if text.startswith('cuda') else text, (args, kwargs)
        )
        result = func(*args, **kwargs)
        there = any(on_gpu) if target is None else target == 'cuda'
        if there and name not in {'_shape_as_tensor', 'numpy', 'tolist', 'cpu'}:
            leaves = tree_flatten(result)[0]
            if any(isinstance(x, Tensor) for x in leaves):  # a shape would become a tuple
                return tree_map_only(Tensor, lambda x: x.as_subclass(OnGPU), result)
        return result

    def _target(self, name, args, kwargs):
        """The device that a call names, or None."""
        if name == 'cpu':
            return 'cpu'
        if name == 'cuda':
            return 'cuda'
        named = [kwargs['device']] if kwargs.get('device') is not None else []
        if name == 'to':
            if isinstance(args[1], Tensor):
                return 'cuda' if isinstance(args[1], OnGPU) else 'cpu'
            named += [x for x in args[1:] if isinstance(x, str | torch.device)]
        if not named:
            return None
        return torch.device(named[0]).type

    def _note(self, name, args, kwargs, leaves, on_gpu, target):
        first_there = bool(args) and isinstance(args[0], OnGPU)
        kind = None
        if name in _DOWNLOADS and any(on_gpu):
            kind = 'download'
        elif any(on_gpu) and _counts(name, args, kwargs, len(leaves)):
            kind = 'count'
        elif name in ('to', 'cpu') and target is not None:
            if first_there and target == 'cpu' and not kwargs.get('non_blocking'):
                kind = 'download'
            waits = not (isinstance(args[0], Pinned) and kwargs.get('non_blocking'))
            if not first_there and target == 'cuda' and waits:
                kind = 'upload'
        elif (name in ('tensor', 'as_tensor') and target == 'cuda') or (
            name == 'new_tensor' and first_there
        ):
            kind = 'upload'
        elif name in ('__getitem__', '__setitem__'):
            kind = self._of_index(name, args)
        elif name == 'copy_' and isinstance(args[1], Tensor) and len(set(on_gpu)) == 2:
            blocking = not (kwargs.get('non_blocking') or args[2:3] == (True,))
            kind = ('upload' if first_there else 'download') if blocking else None
        elif name in _SHAPING:
            inner = tree_flatten((args[1:], kwargs))[0]
            kind = 'size' if any(isinstance(x, OnGPU) for x in inner) else None
        if kind:
            self.waits[(*_place(), kind)] += 1

    @staticmethod
    def _of_index(name, args):
        items = args[1] if isinstance(args[1], tuple) else (args[1],)
        ends = [end for x in items if isinstance(x, slice) for end in (x.start, x.stop, x.step)]
        if any(isinstance(end, OnGPU) for end in ends):
            return 'size'
        if not isinstance(args[0], OnGPU):
            return None
        index = [x for x in tree_flatten(args[1])[0] if isinstance(x, Tensor)]
        if any(isinstance(x, OnGPU) and x.dtype in (torch.bool, torch.uint8) for x in index):
            filled = name == '__setitem__' and not (isinstance(args[2], Tensor) and args[2].dim())
            return None if filled else 'count'
        if any(isinstance(x, OnGPU) and not x.dim() for x in index) and name == '__getitem__':
            return 'size'
        return 'upload' if any(not isinstance(x, OnGPU) for x in index) else None


def _counts(name, args, kwargs, num_tensors):
    """Whether the size of the result depends on values."""
    by_repeats = name == 'repeat_interleave' and num_tensors > 1 and 'output_size' not in kwargs
    return name in _COUNTING or by_repeats or (name == 'where' and len(args) == 1)


def _plain(tensor):
    return tensor.as_subclass(Tensor) if isinstance(tensor, OnGPU | Pinned) else tensor


def _place():
    """File and function of the innermost caller outside of torch."""
    frame = sys._getframe(1)
    while (
        frame.f_code.co_filename.startswith(_TORCH)
        or frame.f_code.co_filename == _SELF
        or frame.f_code.co_name.startswith('<')  # a comprehension or generator of the next one
    ):
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    parts = path.parts
    roots = [i for i, part in enumerate(parts) if part in ('mmvseg', 'mmdet', 'mmcv', 'mmengine')]
    name = '/'.join(parts[roots[-1] :] if roots else parts[-1:])
    return name, frame.f_code.co_name
