"""Tensors to a GPU without waiting for what it has still to do."""

import torch
from torch import Tensor


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on a device.

    From memory that the system may move, a copy to a GPU waits for all work before it; pinned
    memory is read when its turn comes.

    Args:
        tensor: may be there already.
        device: where it is wanted.
    """
    if device.type != 'cuda' or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
