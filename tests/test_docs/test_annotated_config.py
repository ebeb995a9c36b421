"""The config that docs/configs.md explains line by line is the one that it says it is."""

import re

from helpers import REPOSITORY

from mmvseg.engine.config import load_config

PAGE = REPOSITORY / 'docs/configs.md'


def test_it_is_the_config_of_the_quickstart(tmp_path):
    section = PAGE.read_text(encoding='utf-8').split('\n## One config, line by line\n')[1]
    text = re.search(r'```python\n(.+?)\n```', section, re.DOTALL)[1]
    (tmp_path / 'shapes').mkdir()
    (tmp_path / '_base_').symlink_to(REPOSITORY / 'configs/_base_')
    file = tmp_path / 'shapes/annotated.py'
    file.write_text(text)
    shown, shipped = load_config(str(file)), load_config('minvis_shapes_quickstart')
    assert shown.to_dict() == shipped.to_dict()
