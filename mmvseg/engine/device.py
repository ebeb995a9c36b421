"""The device that everything runs on."""

import mmengine.device.utils as device_utils
import torch
from mmengine.device import get_device

from mmvseg.errors import UserError, counted


def use_device(name: str | None = None) -> str:
    """Choose the device before anything is built.

    Args:
        name: ``cpu``, ``cuda`` or ``cuda:N``; None takes a GPU if there is one.

    Returns:
        ``cpu`` or ``cuda``.

    Raises:
        UserError: there is no such device here.
    """
    if name is None:
        return get_device()
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'--device {name}: not a device; use cpu, cuda or cuda:N') from error
    if device.type not in ('cpu', 'cuda'):
        raise UserError(f'--device {name}: only cpu and cuda are supported')
    if device.type == 'cuda':
        _check_gpu(name, device.index or 0)
        torch.cuda.set_device(device.index or 0)
    # mmengine decides once at import and has no setter
    device_utils.DEVICE = device.type
    return device.type


def choose_device(device: str | None) -> torch.device:
    """The named device, or the best there is for None.

    Raises:
        UserError: if it does not exist here; the message lists those that do.
    """
    gpus = [f'cuda:{index}' for index in range(torch.cuda.device_count())]
    if device is None:
        return torch.device(gpus[0] if gpus else 'cpu')
    if device != 'cpu' and device not in gpus and not (device == 'cuda' and gpus):
        available = ', '.join(['cpu', *gpus])
        raise UserError(f'device {device!r} cannot be used here; available: {available}')
    return torch.device(device)


def _check_gpu(name: str, index: int) -> None:
    if not torch.cuda.is_available():
        built = 'without CUDA' if torch.version.cuda is None else f'for CUDA {torch.version.cuda}'
        raise UserError(
            f'--device {name}: no usable GPU (torch {torch.__version__} is built {built}); '
            'use --device cpu, or see mmvseg doctor'
        )
    if index >= torch.cuda.device_count():
        raise UserError(
            f'--device {name}: this machine has {counted(torch.cuda.device_count(), "GPUs")}, '
            'counted from 0'
        )
