"""tools/analysis/conversion.py: a row for a conversion that took place."""

import sys
from unittest import mock

import pytest
from helpers import REPOSITORY
from mmengine.config import Config

from mmvseg.engine.config import load_config

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import conversion as tool


@pytest.fixture
def config(tmp_path):
    """The model alone: its data set, which would tell the classes, is not made here."""
    path = tmp_path / 'small.py'
    model = load_config(str(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py')).model
    Config(dict(model=model)).dump(path)
    return str(path)


def test_a_conversion_is_measured(config, capsys):
    with (
        mock.patch('sys.argv', ['conversion.py', config, '--suffix', '.pkl']),
        pytest.raises(SystemExit) as ended,
    ):
        tool.main()
    assert not ended.value.code
    header, _, row = capsys.readouterr().out.split('\n\n')[0].splitlines()
    assert [cell.strip() for cell in header.split('|')[1:-1]] == list(tool.COLUMNS)
    cells = [cell.strip() for cell in row.split('|')[1:-1]]
    assert cells[:3] == ['small', '.pkl', '.pth']
    assert 0.1 < float(cells[6]) < 4
