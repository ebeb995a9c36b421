"""Classes by their names: the order in which a file lists them is not what a class index means."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category

from .metainfo import to_metainfo


def match_classes(
    found: Mapping[str, Any], model: Mapping[str, Any], source: str, tasks: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """Number the classes of a data set as a model does.

    Args:
        found: ``metainfo`` of the data set.
        model: that of the data which the model was trained on; without ``thing_classes`` its first
            classes are things.
        source: file that names the classes of the data set, for messages.
        tasks: what the data set is of. Results of ``vis`` may leave out classes that it lacks;
            those of ``vps`` and ``vss`` give each pixel a class.

    Returns:
        The ``metainfo`` with one entry for each class of the model; the category id of those that
        the data set lacks is None. And a line that says what was done; empty if all agreed.

    Raises:
        UserError: the data set has classes that the model does not know, or lacks some that it
            cannot do without, or has things that are stuff to the model.
    """
    names = tuple(model['classes'])
    unknown = [name for name in found['classes'] if name not in names]
    if unknown:
        raise UserError(_unknown(found['classes'], names, unknown, source, tasks))
    lacking = [name for name in names if name not in found['classes']]
    if lacking and 'vis' not in tasks:
        raise UserError(
            f'{source}: lacks the classes {", ".join(lacking)} of the model, which gives each '
            'pixel a class; list them too, with ids of their own, even if none of them is annotated'
        )
    colors = dict(zip(found['classes'], found['palette'], strict=True))
    ids = dict(zip(found['classes'], found['category_ids'], strict=True))
    matched = to_metainfo([Category(ids.get(name), name, colors.get(name)) for name in names])
    for kind in ('thing_classes', 'stuff_classes'):
        if kind in found:
            matched[kind] = tuple(name for name in names if name in found[kind])
    if 'vps' in tasks:
        _check_things(matched['thing_classes'], names, model.get('thing_classes'), source)
    return dict(found, **matched), _remark(found['classes'], names, lacking, source)


def check_same_classes(parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Make sure that data sets that are trained on together number the same classes alike.

    Args:
        parts: ``metainfo`` of each by its name in the config.

    Raises:
        UserError: they do not.
    """
    first, *others = parts
    classes = parts[first]['classes']
    for name in others:
        theirs = parts[name]['classes']
        if tuple(theirs) == tuple(classes):
            continue
        difference = describe_difference(classes, theirs, first, name)
        advice = 'they have to be the same to train on both'
        if set(theirs) == set(classes):
            advice = f'give {name} metainfo=dict(classes={list(classes)})'
        raise UserError(
            f'dataset.datasets: classes of {first} and {name} differ: {difference}; {advice}'
        )


def describe_difference(
    one: Sequence[str], other: Sequence[str], of_one: str, of_other: str
) -> str:
    """How two lists of classes differ.

    Args:
        one: names.
        other: names that are not the same, or in another order.
        of_one: what ``one`` belongs to, e.g. ``the checkpoint``.
        of_other: what ``other`` belongs to.
    """
    parts = []
    if missing := [name for name in one if name not in other]:
        parts.append(f'only in {of_one}: {", ".join(missing)}')
    if extra := [name for name in other if name not in one]:
        parts.append(f'only in {of_other}: {", ".join(extra)}')
    if not parts:
        index = next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
        parts.append(
            f'same names in another order, from index {index} on '
            f'({one[index]} in {of_one}, {other[index]} in {of_other})'
        )
    return '; '.join(parts)


def _unknown(
    found: Sequence[str],
    names: Sequence[str],
    unknown: Sequence[str],
    source: str,
    tasks: Sequence[str],
) -> str:
    known = [name for name in found if name in names]
    if not known:
        return (
            f'{source}: none of its classes is one of the model: it has {", ".join(found)}; the '
            f'model was trained on {", ".join(names)}'
        )
    message = (
        f'{source}: has classes that the model was not trained on: {", ".join(unknown)} (it knows '
        f'{", ".join(names)})'
    )
    if 'vis' not in tasks:
        return f'{message}; remove or rename these categories'
    return (
        f'{message}; to evaluate the others, give this dataset metainfo=dict(classes={known}) and '
        'no version'
    )


def _check_things(
    things: Sequence[str], names: Sequence[str], expected: Sequence[str] | None, source: str
) -> None:
    # of a model that does not say, the first ones are things
    expected = names[: len(things)] if expected is None else expected
    if differing := [name for name in names if (name in things) != (name in expected)]:
        raise UserError(
            f'{source}: {", ".join(differing)}: things in one of model and data and stuff in the '
            'other; let isthing of the categories be as in the training data'
        )


def _remark(found: Sequence[str], names: Sequence[str], lacking: Sequence[str], source: str) -> str:
    if lacking:
        return (
            f'{source} has {len(found)} of the {len(names)} classes of the model; results of the '
            f'others are left out: {", ".join(lacking)}'
        )
    if tuple(found) != tuple(names):
        return f'{source} lists the classes in another order than the model; mapped by name'
    return ''
