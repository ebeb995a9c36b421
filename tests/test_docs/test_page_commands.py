"""The commands and the code of README and the docs run, in a small world; see page_world.py."""

import json

import pytest
from page_blocks import HOW, Block, PageError, blocks, check_output, pages
from page_python import check_config, check_types, lacking, run_code
from page_world import World, run_block, world  # noqa: F401 - a fixture
from page_written import not_written


@pytest.mark.parametrize('page', pages())
def test_blocks_of_a_page(page, world):  # noqa: F811
    found = blocks(page)
    folder = world.folder_of(page, found)
    failures, printed, names, left_out = [], '', {}, set()
    for block in found:
        try:
            if package := lacking(block.text) if block.kind in ('python', 'shell') else None:
                left_out.add(package)
            elif block.kind == 'shell':
                printed = run_block(world, folder, block)
            elif block.is_output:
                check_output(block, printed)
            else:
                try_block(world, folder, block, names)
        except PageError as error:
            failures.append(str(error))
    if not failures and not left_out:
        failures = not_written(page, folder)
    counts = f'{page}: {sum(not b.reason for b in found)} of {len(found)} blocks are tried'
    assert not failures, '\n\n'.join([*failures, counts, HOW])
    if left_out:
        pytest.skip(f'all but what needs {", ".join(sorted(left_out))}')


def try_block(world: World, folder, block: Block, names: dict) -> None:  # noqa: F811
    if block.kind == 'python' and block.reason:
        if '>>>' not in block.text:
            check_types(block)
    elif block.kind == 'python' and (block.config or '_base_ =' in block.text):
        check_config(folder, block)
    elif block.kind == 'python':
        run_code(folder, block, names)
    elif block.kind == 'json':
        json.loads(block.text)
