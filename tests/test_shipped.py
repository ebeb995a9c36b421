"""Where the package finds its own configs."""

import helpers

from mmvseg import shipped


def test_a_clone_has_its_own_files():
    assert shipped.shipped_folder() == helpers.REPOSITORY
    assert (shipped.shipped_folder() / 'model-index.yml').is_file()


def test_every_config_has_a_name_of_its_own():
    files = [p for p in helpers.REPOSITORY.glob('configs/*/*.py') if p.parent.name != '_base_']
    configs = shipped.shipped_configs()
    assert sorted(configs.values()) == sorted(files)
    assert configs['tevit_r50'] == helpers.REPOSITORY / 'configs/tevit/tevit_r50.py'


def test_an_installed_package_has_them_inside(tmp_path, monkeypatch):
    (tmp_path / 'mmvseg/.mim/configs/new').mkdir(parents=True)
    (tmp_path / 'mmvseg/.mim/configs/new/new_r50.py').touch()
    monkeypatch.setattr(shipped, '_PACKAGE', tmp_path / 'mmvseg')
    assert shipped.shipped_folder() == tmp_path / 'mmvseg/.mim'
    assert [*shipped.shipped_configs()] == ['new_r50']
