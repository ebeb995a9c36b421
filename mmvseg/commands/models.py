"""List the models, and where their published weights are.

A row a model: its task (vis, vps, vss; image: of single images), backbone, data, published number,
licence and size of the weights, and where they come from; those without weights last. Weights "by
browser" are fetched by hand: mmvseg download says how.

Example:
    mmvseg models
    mmvseg models ovis r50
"""

import argparse

from mmvseg.errors import UserError, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'words',
        nargs='*',
        metavar='WORD',
        help='show models that have all of these in their row; ytvis is YouTube-VIS',
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.model_index import describe_models, known_models

    lines = describe_models(known_models().values(), args.words)
    if len(lines) == 1:
        raise UserError(f'no model has {" and ".join(args.words)}; mmvseg models lists all')
    say('\n'.join(lines))
