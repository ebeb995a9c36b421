"""Class heads: the rows of layers that have one for each class, moved by the classes' names."""

import re
from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from mmvseg.errors import UserError

#: Layers with a row for each class, and some with one more for "no object".
CLASS_HEADS = re.compile(r'(.*\.)?(cls_embed|class_embed|fc_cls|conv_logits)\.(weight|bias)')


def move_class_rows(
    weights: dict[str, Tensor],
    model: nn.Module,
    theirs: Sequence[str],
    ours: Sequence[str],
    source: str,
    allow_missing: Iterable[str] = (),
) -> str:
    """Let each class of a model start from the rows that its name has in a checkpoint.

    Rows of classes that the checkpoint lacks keep the values of the model; those of "no object",
    which come last, are taken as they are. Heads for another number of classes are left alone.

    Args:
        weights: by name, changed in place.
        model: to be filled.
        theirs: names of the checkpoint's classes by index.
        ours: those of the model's.
        source: the checkpoint's name, for messages.
        allow_missing: name prefixes of what may stay unfilled although it is frozen.

    Returns:
        A line that says what was done; empty if the classes are the same.

    Raises:
        UserError: frozen rows would stay unfilled, or the rows of a head that would be filled are
            not those of the classes.
    """
    if tuple(theirs) == tuple(ours):
        return ''
    wanted = model.state_dict()
    frozen = {name for name, tensor in model.named_parameters() if not tensor.requires_grad}
    places = {name: index for index, name in enumerate(theirs)}
    shared = [index for index, name in enumerate(ours) if name in places]
    rows = [places[ours[index]] for index in shared]
    anew = [name for name in ours if name not in places]
    is_moved = False
    heads = [name for name in weights if name in wanted and CLASS_HEADS.fullmatch(name)]
    for name in heads:
        tensor, own = weights[name], wanted[name]
        if tensor.shape != own.shape:
            continue  # starts anew, as in the published recipes; whoever fills the model says so
        if len(own) == 1 and 'conv_logits' in name:
            continue  # one mask for all classes
        if len(tensor) - len(theirs) not in (0, 1) or len(theirs) != len(ours):
            raise UserError(
                f'checkpoint {source}: {name} has {len(tensor)} rows, which are not those of '
                f'its {len(theirs)} classes, so they cannot be brought to the {len(ours)} '
                'classes of the data, which differ; if meta.dataset_meta of the checkpoint is '
                'wrong, remove it'
            )
        if anew and name in frozen and not name.startswith(tuple(allow_missing)):
            raise UserError(
                f'checkpoint {source}: {name} is frozen in this training, but the checkpoint does '
                f'not know the classes {", ".join(anew)} of the data; train the stage before on '
                'these data first'
            )
        moved = own.detach().to(tensor.device, tensor.dtype, copy=True)
        moved[shared] = tensor[rows]
        moved[len(ours) :] = tensor[len(theirs) :]
        weights[name] = moved
        is_moved = True
    if not is_moved:
        return ''
    if not anew:
        return (
            f'{source} has the classes in another order than the data: the rows of its class heads '
            'are moved by name'
        )
    return (
        f'{source}: {len(shared)} of the {len(ours)} classes of the data start from the row of '
        f'their name in the class heads, the others anew: {", ".join(anew)}'
    )
