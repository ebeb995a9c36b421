"""Videos with sound for tests: a bright frame and a tone at the same moment."""

from fractions import Fraction

import av
import numpy as np

RATE = 48000


def write_video_with_sound(
    path, codecs=('aac',), *, channels=2, fps=10, count=20, flash=12, delay_s=0.0, start_s=0.0
):
    """Frame ``flash`` is white, and from it on for a tenth of a second there is a tone.

    ``delay_s`` is when the sound begins; ``start_s`` when all begins, by the file's clock.
    """
    layout = {1: 'mono', 2: 'stereo', 6: '5.1'}[channels]
    with av.open(str(path), 'w') as container:
        video = container.add_stream('mpeg4', rate=fps, options={'qscale': '2'})
        video.width, video.height, video.pix_fmt = 64, 48, 'yuv420p'
        tracks = [container.add_stream(codec, rate=RATE, layout=layout) for codec in codecs]
        for number, track in enumerate(tracks):
            track.metadata['language'] = ('deu', 'fra')[number % 2]
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(_picture(index, flash), format='rgb24')
            frame.pts, frame.time_base = round(1000 * (index / fps + start_s)), Fraction(1, 1000)
            container.mux(video.encode(frame))
        for number, track in enumerate(tracks):
            signal = _tone(count / fps, flash / fps, 440 * (number + 1))[round(delay_s * RATE) :]
            for first in range(0, len(signal), 960):
                block = np.tile(signal[first : first + 960], (channels, 1))
                sound = av.AudioFrame.from_ndarray(block, format='fltp', layout=layout)
                sound.sample_rate, sound.time_base = RATE, Fraction(1, RATE)
                sound.pts = first + round((delay_s + start_s) * RATE)
                container.mux(track.encode(sound))
        for stream in (video, *tracks):
            container.mux(stream.encode(None))
    return path


def sound_of(path, track=0):
    """Samples of the first channel of a track by the file's clock, as a player gives them."""
    signal = np.zeros(20 * RATE, np.float32)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=track):
            samples = frame.to_ndarray()
            if frame.format.is_planar:
                samples = samples[0]
            else:
                samples = samples.reshape(-1, frame.layout.nb_channels)[:, 0]
            if samples.dtype.kind == 'i':
                samples = samples / 32768
            first = round(frame.time * RATE)
            cut = max(0, -first)
            signal[first + cut : first + len(samples)] = samples[cut:]
    return signal


def tone_begins_s(path, track=0):
    """When the tone begins, in seconds."""
    return float(np.argmax(np.abs(sound_of(path, track)) > 0.2)) / RATE


def flash_s(path):
    """When the bright frame is shown, in seconds."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return next(f.time for f in frames if f.to_ndarray(format='rgb24').mean() > 150)


def packets_of(path, kind='audio'):
    """The contents of all packets of a kind."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]


def _picture(index, flash):
    picture = np.full((48, 64, 3), 60, np.uint8)
    picture[4:20, 2:18] = (230, 20, 20)
    return np.full_like(picture, 250) if index == flash else picture


def _tone(length_s, start_s, hertz):
    times_s = np.arange(round(length_s * RATE), dtype=np.float32) / RATE
    inside = (times_s >= start_s) & (times_s < start_s + 0.1)
    return (0.8 * np.sin(2 * np.pi * hertz * times_s) * inside).astype(np.float32)
