"""A model of mmvseg as a peer of benchmark.py: of another config, or of another checkout.

    python tools/analysis/benchmark.py CONFIG \
        --against 'python tools/analysis/peers/mmvseg_version.py --checkout ../mmvseg_before CONFIG'
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from peer import WARM_UP, Answer, Task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='relative to the checkout, unless it is there from here')
    parser.add_argument('--checkout', type=Path, default=Path(__file__).resolve().parents[3])
    parser.add_argument('--precision', default='fp32', help='fp32, bf16 or fp16 (default fp32)')
    args = parser.parse_args()
    checkout = args.checkout.resolve()
    # The measuring tools of that checkout, too: they build its models as it runs them.
    sys.path[:0] = [str(checkout / 'tools' / 'analysis'), str(checkout)]
    config = checkout / args.config
    import mmvseg

    if Path(mmvseg.__file__).resolve().parents[1] != checkout:
        raise SystemExit(f'{checkout}: mmvseg comes from {mmvseg.__file__} instead')
    from mmvseg.engine.config import load_config
    from mmvseg.engine.device import use_device

    task = Task.given()
    use_device(task.device)
    cfg = load_config(config if config.exists() else args.config)
    timed(cfg, task, f'{config.stem} in {checkout.name}', args.precision).give()


def timed(cfg: Any, task: Task, name: str, precision: str = 'fp32') -> Answer:
    """Segment the video of a task with a config's model and random weights."""
    import measure

    torch.set_num_threads(task.threads)
    if hasattr(measure, 'build_for_inference'):
        from mmvseg.models.precision import inference

        model, dtype = measure.build_for_inference(cfg, task.device, precision)
        with inference(dtype, torch.device(task.device)):
            return _timed(model, dtype, task, name)
    if precision != 'fp32':  # a checkout from before models were prepared
        raise SystemExit(f'{name}: measures in fp32 only')
    with torch.no_grad():
        return _timed(measure.build_model(cfg, task.device), torch.float32, task, name)


def _timed(model: Any, dtype: torch.dtype, task: Task, name: str) -> Answer:
    import measure
    import model_parts

    frames = torch.from_numpy(task.load()).permute(0, 3, 1, 2).contiguous()
    warm_up, video = (
        measure.window_of(some, task.ori_size, range(len(some)), len(some))
        for some in (frames[:WARM_UP], frames)
    )
    synchronize = measure.synchronizer(task.device)
    model.predict([warm_up])
    measure.reset_peak(task.device)
    # On a GPU, waiting for the device around the parts would slow down the whole.
    parts = model_parts.parts_of(model) if task.device == 'cpu' else []
    timer = model_parts.PartTimer([part for part in parts if part.name == model_parts.RLE])
    with timer, measure.elapsed(synchronize) as run:
        model.predict([video])
    coding = list(timer.times.values()) if parts else None
    return Answer(
        name=name,
        wall_s=run.wall_s,
        cpu_s=run.cpu_s,
        peak_memory_gb=measure.peak_gb(task.device),
        precision=str(dtype).removeprefix('torch.'),
        environment=measure.environment(task.device),
        coded=True,
        coding_wall_s=coding and sum(part.wall_s for part in coding),
        coding_cpu_s=coding and sum(part.cpu_s for part in coding),
        other_cores=run.other_cores,
    )


if __name__ == '__main__':
    main()
