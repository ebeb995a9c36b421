'use strict';
// The bar above the rows: a pointer moves on it; keys and screen readers use the slider in it.

class TimeBar {
  // `onSeek(frame)` is called for the frame that was asked for.
  constructor(length, onSeek) {
    this.length = length;
    this.bar = document.getElementById('bar');
    this.slider = document.getElementById('seek');
    this.line = document.getElementById('playhead');
    this.slider.addEventListener('input', () => onSeek(Number(this.slider.value)));
    this.bar.addEventListener('pointerdown', (event) => {
      if (event.target.matches('.marker') || event.button !== 0) return;
      this.bar.setPointerCapture(event.pointerId);
      onSeek(this.frameAt(event));
    });
    this.bar.addEventListener('pointermove', (event) => {
      if (this.bar.hasPointerCapture(event.pointerId)) onSeek(this.frameAt(event));
    });
    for (const placed of document.querySelectorAll('[data-at]')) {
      placed.style.left = `${(Number(placed.dataset.at) + 0.5) / length * 100}%`;
    }
  }

  // The bars of all rows have one left and one width, so this holds for them, too.
  frameAt({ clientX }) {
    const { left, width } = this.bar.getBoundingClientRect();
    const frame = Math.floor((clientX - left) / width * this.length);
    return Math.max(0, Math.min(this.length - 1, frame));
  }

  show(frame) {
    this.slider.value = frame;
    this.slider.setAttribute('aria-valuetext', `frame ${frame}`);
    const bar = this.bar.getBoundingClientRect();
    const around = this.line.parentElement.getBoundingClientRect();
    const x = bar.left - around.left + (frame + 0.5) / this.length * bar.width;
    this.line.style.left = `${x}px`;
  }
}
