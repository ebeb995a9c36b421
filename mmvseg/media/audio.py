"""The sound of a video file, beside frames that are written anew."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from .decoding import failure, open_video

#: What an mp4 carries, by FFmpeg's names, some with a header only; all else is encoded to AAC.
_COPIED = frozenset({'aac', 'ac3', 'alac', 'eac3', 'flac', 'mp3', 'opus'})
_WITH_HEADER = frozenset({'alac', 'flac', 'opus'})
#: Places of 1, 2, ... loudspeakers that every player of AAC knows.
_AAC_LAYOUTS = ('mono', 'stereo', '3.0', '4.0', '5.0', '5.1')
#: So much before the first frame is taken, unheard: decoders need it to begin in full.
_LEAD_S = Fraction(1, 10)
_AAC_RATES = frozenset({8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})


class AudioTracks:
    """All audio tracks of a video file, in step with the first frame of its video stream.

    Packets are copied as they are where an mp4 can carry their codec, and encoded to AAC otherwise.
    A file whose sound breaks off gives what is before; :attr:`damage` says so.

    Args:
        path: the video file, or its address; it need not have sound.

    Attributes:
        whole: whether sound behind the last frame that is written belongs to the video; set by who
            has written all frames of it.
        damage: where and how the sound broke off; None if it did not.

    Raises:
        UserError: if the file cannot be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self.whole = False
        self.damage: str | None = None
        self._input = open_video(str(path))
        video = self._input.streams.video[0]
        self._start_s = (video.start_time or 0) * video.time_base
        self._tracks: dict[int, _Track] = {}
        self._packets = self._demux()
        self._waiting: av.Packet | None = None

    def add_to(self, output: av.container.OutputContainer) -> None:
        """Add the tracks to a file that is about to be written."""
        for stream in self._input.streams.audio:
            if stream.codec_context is not None and stream.rate:
                self._tracks[stream.index] = _Track(stream, output, self._start_s)

    def packets(self, until_s: Fraction | None) -> Iterator[av.Packet]:
        """The packets that are next, for the tracks of the output.

        Args:
            until_s: those that begin before, in seconds since the first frame; None: all, as far
                as they are wanted.
        """
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                break
            track = self._tracks[packet.stream_index]
            if until_s is not None and track.begin_s(packet) >= until_s:
                self._waiting = packet
                return
            yield from track.take(packet)

    def rest(self, until_s: Fraction) -> Iterator[av.Packet]:
        """The last packets: up to a time, or all if :attr:`whole`; the input is closed."""
        yield from self.packets(None if self.whole else until_s)
        for track in self._tracks.values():
            yield from track.flush()
        self.close()

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _demux(self) -> Iterator[av.Packet]:
        """Packets in order of time; those without one cannot be placed and are left out."""
        streams = [self._input.streams[index] for index in self._tracks]
        packets = self._input.demux(streams) if streams else iter(())
        try:
            for packet in packets:
                if packet.pts is not None and packet.dts is not None:
                    yield packet
        except (av.error.FFmpegError, OSError) as error:
            self.damage = f'the sound breaks off ({failure(error)})'


class _Track:
    """One track on its way from a file to another."""

    def __init__(
        self,
        source: av.audio.stream.AudioStream,
        output: av.container.OutputContainer,
        start_s: Fraction,
    ) -> None:
        self._source, self._start_s = source, start_s
        name = source.codec_context.codec.canonical_name
        has_header = bool(source.codec_context.extradata)
        self._is_copied = name in _COPIED and (has_header or name not in _WITH_HEADER)
        self._last_dts: int | None = None
        if self._is_copied:
            self._target = output.add_stream_from_template(source)
        else:
            rate = source.rate if source.rate in _AAC_RATES else 48000
            layout = _AAC_LAYOUTS[min(source.channels, len(_AAC_LAYOUTS)) - 1]
            self._target = output.add_stream('aac', rate=rate, layout=layout)
        self._target.metadata.update(
            {key: source.metadata[key] for key in ('language',) if key in source.metadata}
        )

    def begin_s(self, packet: av.Packet) -> Fraction:
        """When a packet begins, in seconds since the first frame."""
        return packet.pts * packet.time_base - self._start_s

    def take(self, packet: av.Packet) -> Iterator[av.Packet]:
        """What the output gets of a packet of the input; nothing of what is before the start."""
        if self.begin_s(packet) < -_LEAD_S:
            return
        if self._is_copied:
            yield from self._copy(packet)
            return
        with suppress(av.error.FFmpegError):  # a damaged packet is a moment of silence
            for frame in packet.decode():
                if frame.pts is not None:
                    frame.pts -= round(self._start_s / frame.time_base)
                yield from self._target.encode(frame)

    def flush(self) -> Iterator[av.Packet]:
        """What the encoder still holds."""
        if not self._is_copied and self._target.codec_context.is_open:
            yield from self._target.encode(None)

    def _copy(self, packet: av.Packet) -> Iterator[av.Packet]:
        if self._last_dts is not None and packet.dts <= self._last_dts:
            return  # no file may go back in time
        self._last_dts = packet.dts
        shift = round(self._start_s / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = self._target
        yield packet
