import pytest

from mmvseg.engine.config import load_config
from mmvseg.engine.fingerprint import claim_folder, fingerprint
from mmvseg.errors import UserError


@pytest.fixture
def run(toy_config, tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'weights')
    (tmp_path / 'a.json').write_bytes(b'{}')

    def of(**options):
        cfg = load_config(toy_config, {k.replace('__', '.'): v for k, v in options.items()})
        return fingerprint(cfg, tmp_path / 'a.pth', tmp_path / 'a.json')

    return of


def test_what_decides_the_results_counts(run, tmp_path):
    first = run()
    assert run(test_dataloader__num_workers=3, test_dataloader__dataset__data_root='b') == first
    for options in (
        dict(model__width=5),
        dict(test_dataloader__dataset__window_size=9),
        dict(test_cfg__precision='bf16'),
    ):
        changed = run(**options)
        assert [key for key in first if changed[key] != first[key]] == ['config']
    (tmp_path / 'categories.json').write_text('[]')
    second = run()
    assert [key for key in first if second[key] != first[key]] == ['config']
    (tmp_path / 'categories.json').unlink()
    (tmp_path / 'a.pth').write_bytes(b'Weights')
    assert [key for key in first if run()[key] != first[key]] == ['checkpoint']


def test_a_folder_of_sequences_counts_with_its_frames(toy_config, tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'weights')
    (tmp_path / 'maps/0002').mkdir(parents=True)
    (tmp_path / 'maps/0002/000000.png').touch()

    def run():
        return fingerprint(load_config(toy_config), tmp_path / 'a.pth', tmp_path / 'maps')

    first = run()
    assert run() == first
    (tmp_path / 'maps/0002/000001.png').touch()
    assert [key for key in first if run()[key] != first[key]] == ['annotations']


def test_the_list_of_all_frames_counts_with_its_content(run, tmp_path):
    path = tmp_path / 'all.json'
    path.write_text('{}')
    first = run(test_dataloader__dataset__all_frames=str(path))
    path.rename(tmp_path / 'moved.json')
    moved = tmp_path / 'moved.json'
    assert run(test_dataloader__dataset__all_frames=str(moved)) == first
    moved.write_text('[]')
    changed = run(test_dataloader__dataset__all_frames=str(moved))
    assert [key for key in first if changed[key] != first[key]] == ['config']


def test_a_folder_named_like_results_is_none(run, tmp_path):
    out = tmp_path / 'out'
    (out / 'results').mkdir(parents=True)
    claim_folder(out, run())
    claim_folder(out, run(model__width=5), restart=True)
    assert (out / 'results').is_dir()


def test_folder_of_another_run_is_refused(run, tmp_path):
    out = tmp_path / 'out'
    claim_folder(out, run())
    (out / 'results.partial.rank0.jsonl').touch()
    claim_folder(out, run())
    with pytest.raises(UserError, match=r'another run \(config differ\).*--restart'):
        claim_folder(out, run(model__width=5))
    claim_folder(out, run(model__width=5), restart=True)
    assert [p.name for p in out.iterdir()] == ['run.json']


def test_results_of_unknown_origin_are_refused(run, tmp_path):
    (tmp_path / 'results.json').touch()
    with pytest.raises(UserError, match=r'results without a run\.json'):
        claim_folder(tmp_path, run())


def test_folder_that_cannot_be_written(run, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='file/out: cannot be written'):
        claim_folder(tmp_path / 'file/out', run())
    (tmp_path / 'out/metrics.json').mkdir(parents=True)
    with pytest.raises(UserError, match=r'out/metrics.json: cannot be written'):
        claim_folder(tmp_path / 'out', run(), restart=True)


@pytest.mark.parametrize('note', ['', '[' * 100_000, '{}', '7'])
def test_a_damaged_note_is_another_run(run, tmp_path, note):
    claim_folder(tmp_path, run())
    (tmp_path / 'results.partial.rank0.jsonl').touch()
    (tmp_path / 'run.json').write_text(note)
    with pytest.raises(UserError, match='another run'):
        claim_folder(tmp_path, run())
