'use strict';
// One video as numbered frames. Frame n is shown from n / fps seconds on.

class Player {
  // `onFrame(frame)` is called when the video element holds the picture of another frame;
  // `onChange()` when it plays, stops or breaks.
  constructor(video, length, fps, onFrame, onChange) {
    Object.assign(this, { video, length, fps, onFrame, onChange });
    this.frame = 0;
    this.wanted = null;
    this.isSeeking = false;
    this.isBroken = false;
  }

  // Begin to listen; the video may be broken by then.
  connect() {
    const { video } = this;
    video.addEventListener('seeked', () => this.arrive());
    for (const name of ['play', 'pause', 'ended']) video.addEventListener(name, this.onChange);
    video.addEventListener('ended', () => this.show(this.length - 1));
    video.addEventListener('error', () => this.breakDown());
    if (video.error) this.breakDown();
    this.follow();
  }

  get isPlaying() {
    return !this.video.paused && !this.video.ended;
  }

  get picture() {
    return this.isBroken || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA
      ? null : this.video;
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.video.play().catch(() => { /* `error` says why, or it was paused at once */ });
  }

  // Stop at the frame that is on show: the video may be on its way to the next.
  pause() {
    this.stopAt(this.frame);
  }

  // While a seek is on its way, only the last wish is kept: dragging asks for many.
  seek(frame) {
    const chosen = Math.max(0, Math.min(this.length - 1, frame));
    if (this.isBroken) {
      this.show(chosen);
      return;
    }
    this.wanted = chosen;
    if (!this.isSeeking) this.depart();
  }

  stopAt(frame) {
    this.video.pause();
    this.seek(frame);
  }

  step(count) {
    this.stopAt((this.wanted ?? this.frame) + count);
  }

  depart() {
    this.isSeeking = true;
    this.going = this.wanted;
    // the middle of a frame: its ends are rounded in the file
    this.video.currentTime = (this.going + 0.5) / this.fps;
  }

  arrive() {
    this.isSeeking = false;
    if (this.wanted === null) return;
    this.show(this.going);
    if (this.wanted === this.going) this.wanted = null;
    else this.depart();
  }

  show(frame) {
    this.frame = frame;
    this.onFrame(frame);
  }

  // While it plays, the time of the very picture on show counts, where browsers tell it.
  follow() {
    const seen = (number) => {
      const frame = Math.max(0, Math.min(this.length - 1, number));
      // what stands still is drawn once more: a seek may have ended before its picture came
      const isRight = this.isPlaying || this.video.ended || frame === this.frame;
      if (isRight && !this.isSeeking) this.show(frame);
      this.follow();
    };
    if ('requestVideoFrameCallback' in HTMLVideoElement.prototype) {
      this.video.requestVideoFrameCallback(
        (now, picture) => seen(Math.round(picture.mediaTime * this.fps)));
    } else {
      requestAnimationFrame(() => {
        if (this.isPlaying) seen(Math.floor(this.video.currentTime * this.fps + 1e-3));
        else this.follow();
      });
    }
  }

  breakDown() {
    this.isBroken = true;
    this.isSeeking = false;
    this.onChange();
    this.show(this.wanted ?? this.frame);
  }
}
