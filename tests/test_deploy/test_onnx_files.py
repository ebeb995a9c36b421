"""Networks that are written as ONNX files and run by onnxruntime.

Writing one takes seconds, so each test writes one and looks at all there is to it.
"""

import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import token_models
from deployed import SIZE, assert_same, build_dvis, in_torch, manifest_of, video
from helpers import REPOSITORY

from mmvseg.errors import UserError

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from mmvseg.deploy import DeployedModel, manifest
from mmvseg.deploy.export import exporting, plans
from mmvseg.deploy.sessions import Network


@pytest.fixture(autouse=True)
def no_log_of_traces():
    """pytest collects all that is logged, and torch logs each tensor of a trace."""
    log = logging.getLogger('torch.__trace')
    before, log.disabled = log.disabled, True
    yield
    log.disabled = before


def test_one_file_holds_the_first_frame_and_all_that_follow(tmp_path):
    model = token_models.build('VidEoMT', 'DINOv3', backbone=dict(depth=1), num_query_blocks=1)
    path = tmp_path / 'videomt.onnx'
    (written,) = exporting.write_networks(model, manifest_of(model, dynamic=True), path, SIZE)
    assert written.path == path
    assert written.nbytes == path.stat().st_size
    assert written.difference < 1e-4
    deployed = DeployedModel(path, threads=1)
    assert repr(deployed) == 'DeployedModel(VidEoMT, 6 classes, any size)'
    for frames in (video(5, size=(70, 90)), video(5, size=(90, 40)), video(1)):
        result = deployed(frames, fps=5)
        assert_same(result.pred, in_torch(model, frames))
    assert result.classes[1] == 'class 1'
    assert result.frame_seconds == [0.0]
    _refused_files(tmp_path, path)


def _refused_files(folder, path):
    with pytest.raises(UserError, match=r'nothing\.onnx: no such file; mmvseg export writes it'):
        DeployedModel(folder / 'nothing.onnx')
    (folder / 'text.onnx').write_text('no network')
    with pytest.raises(UserError, match=r'text\.onnx: onnxruntime cannot load it'):
        DeployedModel(folder / 'text.onnx')
    (folder / 'cut.onnx').write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UserError, match=r'cut\.onnx: onnxruntime cannot load it'):
        DeployedModel(folder / 'cut.onnx')
    with pytest.raises(UserError, match='onnxruntime has no Nowhere here; it has '):
        DeployedModel(path, providers=['Nowhere'])
    others = folder / 'folder'
    others.mkdir()
    with pytest.raises(UserError, match=r'folder: no deploy\.json in it'):
        DeployedModel(others)
    (others / 'deploy.json').write_text('{"version": 1}')
    with pytest.raises(UserError, match=r'deploy\.json: is no description of exported networks'):
        DeployedModel(others)
    (others / 'deploy.json').write_text('{"version": 2}')
    with pytest.raises(UserError, match=r'deploy\.json: was exported by a newer mmvseg'):
        DeployedModel(others)
    text = manifest.encode(Network(path).manifest)
    (others / 'deploy.json').write_bytes(text.replace(b'"propagated"', b'"clip"'))
    with pytest.raises(UserError, match=r'deploy\.json: is no .* \(kind is clip, but clip is null'):
        DeployedModel(others)
    (others / 'deploy.json').write_bytes(text.replace(b'"vis"', b'"vps"'))
    with pytest.raises(UserError, match=r'task is vps, but report\.num_things is null'):
        DeployedModel(others)
    text = text.replace(b'"propagated"', b'"tracked"')
    (others / 'deploy.json').write_bytes(text)
    shutil.copy(path, others / 'frame.onnx')
    with pytest.raises(UserError, match=r'tracker\.onnx: no such file'):
        DeployedModel(others)
    shutil.copy(path, others / 'tracker.onnx')
    with pytest.raises(UserError, match=r"tracker\.onnx: is not the network 'tracker' that mmvseg"):
        DeployedModel(others)
    code = 'import sys, mmvseg.deploy as d; d.DeployedModel(sys.argv[1]); print(*sys.modules)'
    ended = subprocess.run(
        [sys.executable, '-c', code, str(path)], capture_output=True, text=True, check=True
    )
    assert not {'torch', 'mmengine', 'mmcv', 'mmdet'} & set(ended.stdout.split())


def test_a_frame_of_masked_attention_and_a_tracker(tmp_path, monkeypatch):
    model, frames = build_dvis('MinVIS'), video(4)
    path = tmp_path / 'minvis.onnx'
    (written,) = exporting.write_networks(model, manifest_of(model), path, SIZE)
    assert written.difference < 1e-4
    deployed = DeployedModel(path, threads=1)
    assert_same(deployed(frames).pred, in_torch(model, frames))
    for size in ((70, 40), (40, 70), (20, 20)):
        with pytest.raises(UserError, match=f'--size {size[0]}x{size[1]}, or with --dynamic'):
            deployed(video(2, size=size))
    online = build_dvis('DVISOnline')
    online.load_state_dict(model.state_dict(), strict=False)  # the same segmenter
    described = manifest_of(online)
    shutil.copytree(tmp_path, tmp_path / 'dvis')
    (tmp_path / 'dvis/minvis.onnx').rename(tmp_path / 'dvis/frame.onnx')
    *_, tracker = plans.plans(online, described, SIZE)
    written = exporting.export_network(tracker, described, tmp_path / 'dvis/tracker.onnx')
    assert written.difference < 1e-4
    (tmp_path / 'dvis/deploy.json').write_bytes(manifest.encode(described))
    assert_same(DeployedModel(tmp_path / 'dvis', threads=1)(frames).pred, in_torch(online, frames))
    with pytest.raises(UserError, match=r'tracker\.onnx: is one of several networks of a DVISOnl'):
        DeployedModel(tmp_path / 'dvis/tracker.onnx')
    monkeypatch.chdir(tmp_path)
    _page_holds(model, frames)


def _page_holds(model, frames):
    """The programs of docs/deploy.md, on this minvis.onnx."""
    text = (REPOSITORY / 'docs/deploy.md').read_text()
    _, alone, smaller = re.findall(r'^```python\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    names = {}
    exec(alone, names)
    expected = in_torch(model, frames)
    pairs = set(zip(expected.track_ids.tolist(), expected.labels.tolist(), strict=True))
    found = [*names['tracks'](frames, least=min(expected.scores) - 1e-5)]
    assert {(slot, int(name.removeprefix('class '))) for slot, name, _, _ in found} == pairs
    assert {mask.shape for *_, mask in found} == {(len(frames), 16, 16)}
    exec(smaller, {})
    quantised = Network('int8.onnx')
    assert Path('int8.onnx').stat().st_size < Path('minvis.onnx').stat().st_size
    assert quantised.manifest == Network('minvis.onnx').manifest
