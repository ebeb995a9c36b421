"""The tables of models in the documents are those that the model index gives."""

import re
from pathlib import Path

import pytest
from helpers import REPOSITORY
from tool import run_tool

TABLES = {
    'overview TeViT, DVIS online': (
        'model | backbone | queries | parameters | YouTube-VIS 2019, AP | YouTube-VIS 2021, AP | '
        'OVIS, AP | OVIS 720p, AP | VIPSeg, VPQ | published weights',
        {
            'tevit_r50_mstrain': '`tevit_r50_mstrain` | ResNet-50 | 100 | 172.34 M | '
            '[-](ROOT/tevit/tevit_r50_mstrain.py) |  |  |  |  | -',
            'dvis_online_r50': '`dvis_online_r50` | ResNet-50 | 100 | 53.64 M | '
            '[51.0](ROOT/dvis/dvis_online_r50_ytvis19.py) | '
            '[46.3](ROOT/dvis/dvis_online_r50_ytvis21.py) | '
            '[30.4](ROOT/dvis/dvis_online_r50_ovis.py) | '
            '[30.9](ROOT/dvis/dvis_online_r50_ovis_720p.py) | '
            '[-](ROOT/dvis/dvis_online_r50_vipseg.py) | '
            '[DVIS](https://github.com/zhang-tao-whu/DVIS): non-commercial',
        },
        7,
    ),
    'list DVIS offline': (
        'config | backbone | queries | parameters | trained on | training | tested at | '
        'published | published weights',
        {
            'swin-l_ytvis21': '[dvis_offline_swin-l_ytvis21](ROOT/dvis/'
            'dvis_offline_swin-l_ytvis21.py) | Swin-L | 200 | 239 607 792 | '
            'YouTube-VIS 2021, COCO | 40 000 x 8 clips of 21 frames | 480p | '
            'AP 60.0, AP50 82.6, AP75 68.4 | [DVIS](https://github.com/zhang-tao-whu/DVIS): by '
            'browser, [pan.baidu.com](https://pan.baidu.com/s/1kfSbdHTD8ve47gn-n_7xDQ?pwd=dvis), '
            '[pjxnzg3129.feishu.cn](https://pjxnzg3129.feishu.cn/drive/folder/'
            'VW6XfCduZlujiFdgHeCcFss4ndh)',
            'r50_vspw': '[dvis_offline_r50_vspw](ROOT/dvis/dvis_offline_r50_vspw.py) | ResNet-50 | '
            '100 | 68 120 824 | VSPW | 20 000 x 8 clips of 21 frames | 720p | - | -',
        },
        14,
    ),
    'list Mask2Former': (
        'config | backbone | queries | parameters | trained on | training | published | '
        'published weights',
        {
            'swin-l_coco_instance': '[mask2former_swin-l_coco_instance](ROOT/mask2former/'
            'mask2former_swin-l_coco_instance.py) | Swin-L | 200 | 215 521 989 | COCO | '
            '737 500 x 16 images | AP 50.1, boundary AP 36.2 | '
            '[Mask2Former](https://github.com/facebookresearch/Mask2Former): '
            '[model_final_e5f453.pkl](https://dl.fbaipublicfiles.com/maskformer/mask2former/coco/'
            'instance/maskformer2_swin_large_IN21k_384_bs16_100ep/model_final_e5f453.pkl)'
        },
        6,
    ),
    'weights QueryInst, MinVIS': (
        'model | published weights | licence | commercial use | note',
        {
            '| QueryInst |': 'QueryInst | [TeViT](https://github.com/hustvl/TeViT), '
            '[QueryInst](https://github.com/hustvl/QueryInst) | MIT | not excluded | By the '
            'licence of the repository that has them; COCO, which they were trained on, has terms '
            'of its own.',
            '| QueryInst | [mmdet': '| Apache 2.0 | not excluded | Trained anew by MMDetection',
            '| MinVIS | [MinVIS': 'CC BY-NC-SA 4.0 | **no** |',
            '| MinVIS | [DVIS': 'MIT (repository), start from CC BY-NC 4.0 | **no** |',
        },
        4,
    ),
}


def document(path, *begins):
    parts = [f'<!-- models: begin {begin} -->\n<!-- models: end -->\n' for begin in begins]
    path.write_text('# Title\n\n' + '\nbetween\n'.join(parts) + '\nafter\n')
    return path


def test_the_documents_are_up_to_date():
    assert run_tool('misc/model_table', '--check') == 0


def test_every_model_is_in_a_list():
    tables = (REPOSITORY / 'docs/model_zoo.md').read_text()
    for config in Path('configs').glob('*/*.py'):
        if config.parent.name not in ('_base_', 'shapes'):
            assert f'| [{config.stem}](../{config}) |' in tables


@pytest.mark.parametrize('name', TABLES)
def test_tables(tmp_path, name):
    path = document(tmp_path / 'a.md', name)
    assert run_tool('misc/model_table', str(path)) == 0
    configs = re.search(r'\]\((\.\.[^)]*/configs)/', path.read_text())
    text = path.read_text().replace(configs[1] if configs else 'none', 'ROOT')
    text = text.replace('\N{EN DASH}', '-')
    header, rows, count = TABLES[name]
    table = [line for line in text.splitlines() if line.startswith('|')]
    assert table[0] == f'| {header} |'
    assert len(table) == count + 2
    for key, expected in rows.items():
        assert any(key in row and expected in row for row in table), key
    assert text.startswith(f'# Title\n\n<!-- models: begin {name} -->\n\n| ')
    assert text.endswith('|\n\n<!-- models: end -->\n\nafter\n')


def test_links_lead_to_the_configs(tmp_path):
    (tmp_path / 'deep').mkdir()
    path = document(tmp_path / 'deep/a.md', 'list TeViT')
    assert run_tool('misc/model_table', str(path)) == 0
    links = re.findall(r'\]\((\.\.[^)]*)\)', path.read_text())
    assert len(links) == 5
    assert all((path.parent / link).resolve().is_file() for link in links)


def test_check_names_the_document_and_the_command_and_writes_nothing(tmp_path, capsys):
    good = document(tmp_path / 'good.md', 'list TeViT', 'list MinVIS')
    assert run_tool('misc/model_table', str(good)) == 0
    assert capsys.readouterr().out.endswith('good.md: written\n')
    assert run_tool('misc/model_table', '--check', str(good)) == 0
    assert run_tool('misc/model_table', str(good)) == 0
    assert capsys.readouterr().out == 'all tables are up to date\n' * 2
    stale = tmp_path / 'stale.md'
    stale.write_text(good.read_text().replace('AP 46.3', 'AP 46.0'))
    before = stale.read_text()
    assert run_tool('misc/model_table', '--check', str(good), str(stale)) == 1
    message = capsys.readouterr().err
    assert 'stale.md: tables differ from' in message
    assert 'good.md' not in message
    assert 'python tools/misc/model_table.py' in message
    assert stale.read_text() == before
    assert run_tool('misc/model_table', str(stale)) == 0
    assert stale.read_text() == good.read_text()


def test_only_published_numbers_are_shown_as_such(tmp_path):
    text = (REPOSITORY / 'configs/tevit/metafile.yml').read_text()
    for name in ('configs', 'mmvseg', 'docs'):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / 'own.yml').write_text(text.replace('Source: weights', 'Source: own', 1))
    (tmp_path / 'index.yml').write_text('Import: [own.yml]')
    path = document(tmp_path / 'a.md', 'list TeViT')
    assert run_tool('misc/model_table', '--index', str(tmp_path / 'index.yml'), str(path)) == 0
    assert 'AP 46.9' in path.read_text()
    assert 'AP 46.3' not in path.read_text()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('nothing', 'a.md: no line says <!-- models: begin KIND COLLECTIONS -->'),
        ('<!-- models: begin list TeViT -->\n', 'a.md, line 1: <!-- models: end --> is missing'),
        ('\n<!-- models: end -->\n', 'a.md, line 2: <!-- models: end --> without its other half'),
        (
            '<!-- models: begin list TeViT -->\n<!-- models: begin list MinVIS -->\n',
            'line 2: <!-- models: begin list MinVIS --> without its other half',
        ),
        ('<!-- models: begin grid TeViT -->\n', "line 1: there is no table 'grid', only overview,"),
        (
            '<!-- models: begin list DVIS -->\n',
            "there is no collection 'DVIS', only TeViT, QueryInst, Mask2Former, MinVIS, DVIS",
        ),
    ],
)
def test_mistakes_in_a_document_are_named(tmp_path, capsys, text, message):
    path = tmp_path / 'a.md'
    path.write_text(text)
    assert run_tool('misc/model_table', str(path)) == 1
    assert message in capsys.readouterr().err
    assert path.read_text() == text


def test_missing_files_are_named(tmp_path, capsys):
    assert run_tool('misc/model_table', str(tmp_path / 'absent.md')) == 1
    assert 'absent.md: cannot be' in capsys.readouterr().err
    assert run_tool('misc/model_table', '--index', str(tmp_path / 'absent.yml')) == 1
    assert 'absent.yml: cannot be read' in capsys.readouterr().err
