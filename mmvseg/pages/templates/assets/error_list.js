'use strict';
// The errors of a video: a list below, and marks on the bar.

class ErrorList {
  // `onGo(frame, choice)` is called for the error that was asked for; `choice` has its tubes,
  // `{group: index}`.
  constructor(onGo) {
    this.current = null; // number of the error
    this.buttons = [...document.querySelectorAll('.error')];
    this.markers = [...document.querySelectorAll('.marker')];
    this.onGo = onGo;
    this.buttons.forEach((button, number) => {
      button.addEventListener('click', () => this.go(number));
    });
    for (const marker of this.markers) {
      // of several errors in a frame, one after the other
      marker.addEventListener('click', () => {
        const numbers = marker.dataset.errors.split(' ').map(Number);
        this.go(numbers[(numbers.indexOf(this.current) + 1) % numbers.length]);
      });
    }
  }

  go(number) {
    this.mark(number);
    const { frame, run, track, object } = this.buttons[number].dataset;
    const choice = {};
    if (track !== undefined) choice[run] = Number(track);
    if (object !== undefined) choice.truth = Number(object);
    this.onGo(Number(frame), choice);
  }

  // The next by cost, or the one before; behind the last comes the first.
  step(count) {
    const total = this.buttons.length;
    if (!total) return;
    const before = this.current ?? (count > 0 ? -1 : 0);
    this.go((before + count + total) % total);
  }

  mark(number) {
    this.current = number;
    this.buttons.forEach((button, other) => {
      if (other === number) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    });
    for (const marker of this.markers) {
      const isCurrent = marker.dataset.errors.split(' ').includes(String(number));
      marker.classList.toggle('current', isCurrent);
    }
  }

  // Takes only numbers that there are.
  fromState(state) {
    this.mark(this.buttons[state.error] ? Number(state.error) : null);
  }
}
