"""The sound of a video file, beside frames that are written anew."""

from collections.abc import Iterator
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
#: By how much files understate their length.
_ROUNDING_S = 5
#: What no packet of sound lasts.
_LONGEST_S = 60
_AAC_RATES = frozenset({8000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})


class AudioTracks:
    """All audio tracks of a video file, in step with the first frame of its video stream.

    Packets are copied as they are where an mp4 can carry their codec, and encoded to AAC otherwise.
    A file whose sound breaks off gives what is before; :attr:`damage` says so.

    Args:
        path: the video file, or its address; it need not have sound.
        start_s: time of the first frame in the file, in seconds.

    Attributes:
        whole: whether sound behind the last frame that is written belongs to the video; set by who
            has written all frames of it.
        damage: where and how the sound broke off; None if it did not.

    Raises:
        UserError: if the file cannot be opened.
    """

    def __init__(self, path: str | Path, start_s: float) -> None:
        self.whole = False
        self.damage: str | None = None
        self._input = open_video(str(path))
        self._start_s = Fraction(start_s)
        self._tracks: dict[int, _Track] = {}
        self._packets = self._demux()
        self._waiting: av.Packet | None = None

    def add_to(self, output: av.container.OutputContainer) -> None:
        """Add the tracks to a file that is about to be written."""
        self._output = output
        for stream in self._input.streams.audio:
            if stream.codec_context is not None and stream.rate and stream.channels:
                self._tracks[stream.index] = _Track(stream, output, self._start_s)

    def write_until(self, end_s: Fraction | None) -> None:
        """Write what begins before a time in seconds since the first frame; None: all.

        Raises:
            OSError: if the file cannot be written.
        """
        while (packet := self._waiting or next(self._packets, None)) is not None:
            track, self._waiting = self._tracks[packet.stream_index], None
            if end_s is not None and track.begin_s(packet) >= end_s:
                self._waiting = packet
                return
            self._write(track.take(packet))

    def finish(self, end_s: Fraction) -> None:
        """Write the last packets: up to a time, or all if :attr:`whole`; close the input.

        Raises:
            OSError: if the file cannot be written.
        """
        self.write_until(None if self.whole else end_s)
        for track in self._tracks.values():
            self._write(track.flush())
        self.close()

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _write(self, packets: Iterator[av.Packet]) -> None:
        """A packet that cannot be decoded or written is a moment of silence."""
        try:
            for packet in packets:
                self._output.mux(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # the system's, such as a full disk
                raise
            self.damage = 'parts of the sound are damaged and left out'

    def _demux(self) -> Iterator[av.Packet]:
        """Packets in order of time; those without one, or with a senseless one, are left out."""
        streams = [self._input.streams[index] for index in self._tracks]
        packets = self._input.demux(streams) if streams else iter(())
        latest_s = None
        if self._input.duration:
            latest_s = Fraction(self._input.duration, av.time_base) + _ROUNDING_S
        try:
            for packet in packets:
                if packet.pts is None or packet.dts is None:
                    continue
                if latest_s is None or self._tracks[packet.stream_index].begin_s(packet) < latest_s:
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
        self._start_s = start_s
        name = source.codec_context.codec.canonical_name
        has_header = bool(source.codec_context.extradata)
        self._is_copied = name in _COPIED and (has_header or name not in _WITH_HEADER)
        self._form: tuple[str, str, int] | None = None  # of the sound before it is encoded
        self._last: int | None = None  # time of what was taken last, which must not go back
        if self._is_copied:
            self._target = output.add_stream_from_template(source)
        else:
            rate = source.rate if source.rate in _AAC_RATES else 48000
            layout = _AAC_LAYOUTS[min(source.channels, len(_AAC_LAYOUTS)) - 1]
            self._target = output.add_stream('aac', rate=rate, layout=layout)
        if 'language' in source.metadata:
            self._target.metadata['language'] = source.metadata['language']

    def begin_s(self, packet: av.Packet) -> Fraction:
        """When a packet begins, in seconds since the first frame."""
        return packet.pts * packet.time_base - self._start_s

    def take(self, packet: av.Packet) -> Iterator[av.Packet]:
        """What the output gets of a packet of the input; nothing of what is before the start."""
        if self.begin_s(packet) < -_LEAD_S:
            return
        if self._is_copied:
            if self._goes_on(packet.dts):
                # Sound has no other order than that of time.
                packet.pts = packet.dts = packet.dts - round(self._start_s / packet.time_base)
                if not 0 <= packet.duration * packet.time_base < _LONGEST_S:
                    packet.duration = 0
                packet.stream = self._target
                yield packet
            return
        for frame in packet.decode():
            if frame.pts is not None and self._goes_on(frame.pts):
                frame.pts -= round(self._start_s / frame.time_base)
                for part in self._converted(frame):
                    yield from self._target.encode(part)

    def flush(self) -> Iterator[av.Packet]:
        """What the encoder still holds."""
        if not self._is_copied and self._target.codec_context.is_open:
            yield from self._target.encode(None)

    def _converted(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        """In the form of the output; broadcasts change theirs on the way."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            encoder = self._target.codec_context
            self._converter = av.AudioResampler('fltp', encoder.layout, encoder.sample_rate)
            self._form = form
        return self._converter.resample(frame)

    def _goes_on(self, time: int) -> bool:
        if self._last is not None and time <= self._last:
            return False
        self._last = time
        return True
