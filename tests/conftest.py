import torch

import mmvseg  # noqa: F401 - adapts the stack before mmdet is imported

torch.set_num_threads(1)
