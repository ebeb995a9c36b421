import av
import numpy as np
import pytest
from sound import flash_s, packets_of, sound_of, tone_begins_s, write_video_with_sound

from mmvseg.media import AudioTracks, VideoWriter, open_source


def write_anew(path, count=None):
    """The frames of a video, or the first of them, in a new file beside its sound."""
    source = open_source(path)
    audio = AudioTracks(path, source.start_s)
    out = path.with_name('anew.mp4')
    with VideoWriter(out, source.fps, audio=audio) as writer:
        for frame in source:
            writer.write(frame.image)
            if writer.count == count:
                break
        audio.whole = count is None
    return out, audio


def audio_streams(path):
    with av.open(str(path)) as container:
        return [
            (stream.codec_context.codec.canonical_name, stream.metadata.get('language'))
            for stream in container.streams.audio
        ]


@pytest.mark.parametrize(
    ('name', 'codec', 'options'),
    [
        ('aac.mp4', 'aac', {}),
        ('aac_at_two_seconds.mkv', 'aac', dict(start_s=2.0)),
        ('late.mp4', 'aac', dict(delay_s=0.7)),
        ('mp3.mkv', 'mp3', dict(channels=1)),
        ('opus.mkv', 'opus', {}),
        ('surround.mkv', 'ac3', dict(channels=6)),
    ],
)
def test_sound_that_fits_is_copied_in_step(tmp_path, name, codec, options):
    path = write_video_with_sound(tmp_path / name, [codec], **options)
    out, _ = write_anew(path)
    assert packets_of(out) == packets_of(path)
    assert audio_streams(out) == [(codec, 'deu')]
    assert flash_s(out) == pytest.approx(1.2, abs=1e-3)
    step = tone_begins_s(path) - flash_s(path)
    assert tone_begins_s(out) - flash_s(out) == pytest.approx(step, abs=0.002)


@pytest.mark.parametrize(
    ('name', 'codec', 'options'),
    [
        ('pcm.avi', 'pcm_s16le', {}),
        ('pcm_late.mkv', 'pcm_s16le', dict(delay_s=0.7, channels=1)),
        ('pcm_surround.mkv', 'pcm_s16le', dict(channels=6)),
        ('broadcast.ts', 'mp2', dict(start_s=3.0)),
    ],
)
def test_other_sound_becomes_aac_in_step(tmp_path, name, codec, options):
    path = write_video_with_sound(tmp_path / name, [codec], **options)
    out, _ = write_anew(path)
    assert [kind for kind, _ in audio_streams(out)] == ['aac']
    step = tone_begins_s(path) - flash_s(path)
    assert tone_begins_s(out) - flash_s(out) == pytest.approx(step, abs=0.002)
    assert np.abs(sound_of(out)).max() == pytest.approx(0.8, abs=0.3)


def test_adts_of_broadcasts_is_copied(tmp_path):
    path = write_video_with_sound(tmp_path / 'v.ts', start_s=1.0)
    out, _ = write_anew(path)
    with_headers = packets_of(path)
    assert packets_of(out) == [packet[7:] for packet in with_headers]
    assert tone_begins_s(out) == pytest.approx(1.2, abs=0.002)


def test_all_tracks_are_kept_with_their_languages(tmp_path):
    path = write_video_with_sound(tmp_path / 'v.mkv', ['aac', 'pcm_s16le', 'mp3'])
    out, _ = write_anew(path)
    assert audio_streams(out) == [('aac', 'deu'), ('aac', 'fra'), ('mp3', 'deu')]
    for track in range(3):
        assert tone_begins_s(out, track) == pytest.approx(1.2, abs=0.03)


@pytest.mark.parametrize('codec', ['aac', 'pcm_s16le'])
def test_sound_ends_with_the_last_frame_of_a_part(tmp_path, codec):
    path = write_video_with_sound(tmp_path / 'v.mkv', [codec])
    out, _ = write_anew(path, count=13)
    assert len(list(open_source(out))) == 13
    with av.open(str(out)) as container:
        stream = container.streams.audio[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(1.3, abs=0.05)
    assert tone_begins_s(out) == pytest.approx(1.2, abs=0.002)


def test_without_sound_the_file_is_as_it_was(tmp_path):
    path = write_video_with_sound(tmp_path / 'v.mp4', [])
    out, audio = write_anew(path)
    with VideoWriter(tmp_path / 'plain.mp4', 10) as writer:
        for frame in open_source(path):
            writer.write(frame.image)
    assert out.read_bytes() == (tmp_path / 'plain.mp4').read_bytes()
    assert audio.damage is None


def test_sound_that_breaks_off_is_kept_up_to_there(tmp_path):
    path = write_video_with_sound(tmp_path / 'v.mkv', count=30, flash=4)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    out, _ = write_anew(path)
    assert 5 < len(packets_of(out)) < len(packets_of(path)) + 1
    assert tone_begins_s(out) == pytest.approx(0.4, abs=0.002)


def test_damaged_packets_end_nothing(tmp_path):
    path = write_video_with_sound(tmp_path / 'v.ts', ['mp2'])
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8).tobytes()
    data[len(data) // 2 : len(data) // 2 + 4000] = noise
    path.write_bytes(data)
    out, _ = write_anew(path)
    assert len(packets_of(out)) > 20


def test_sound_that_changes_its_form_goes_on(tmp_path):
    parts = [
        write_video_with_sound(tmp_path / f'{n}.ts', ['mp2'], channels=n, start_s=2.0 * n)
        for n in (1, 2)
    ]
    path = tmp_path / 'v.ts'
    path.write_bytes(b''.join(part.read_bytes() for part in parts))
    out, _ = write_anew(path)
    signal = np.abs(sound_of(out)) > 0.2
    begins = [float(np.argmax(signal)) / 48000, float(np.argmax(signal[2 * 48000 :])) / 48000 + 2]
    assert begins == pytest.approx([1.2, 3.2], abs=0.03)
