'use strict';
// A video's page: one player, all pictures drawn from it, and the timeline below.

class VideoPage {
  constructor(data) {
    this.data = data;
    this.hasStarted = false; // until then, the address says what to show
    this.rows = new TubeRows(data, () => this.draw(), (choice, event) => this.pick(choice, event));
    this.errors = new ErrorList((frame, choice) => this.goTo(frame, choice));
    this.bar = new TimeBar(data.length, (frame) => this.goTo(frame));
    this.panels = [...document.querySelectorAll('[data-panel]')].map(({ dataset, lastChild }) => ({
      group: dataset.panel,
      panel: new Panel(lastChild, data.size, this.rows.groups[dataset.panel]),
    }));
    this.player = new Player(
      byId('video'), data.length, data.fps, () => this.update(), () => this.showState());
    this.listen();
    this.begin();
  }

  // The first picture may be there already, come, or never come.
  begin() {
    this.player.connect();
    const start = () => { this.hasStarted = true; this.takeState(); };
    const { video, isBroken } = this.player;
    if (isBroken || video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      start();
      return;
    }
    for (const name of ['loadeddata', 'error']) video.addEventListener(name, start, { once: true });
  }

  listen() {
    const actions = this.actions();
    for (const button of document.querySelectorAll('[data-do]')) {
      button.addEventListener('click', actions[button.dataset.do]);
    }
    byId('speed').addEventListener('change', () => actions.speed(0));
    for (const id of ['opacity', 'labels']) byId(id).addEventListener('input', () => this.draw());
    addEventListener('keydown', (event) => {
      if (pressKey(event, actions)) event.preventDefault();
    });
    addEventListener('resize', () => this.update());
    addEventListener('hashchange', () => this.takeState());
  }

  // What buttons and keys do, by name.
  actions() {
    const { player, rows, errors, data } = this;
    return {
      play: () => player.toggle(),
      first: () => player.step(-data.length),
      back: () => player.step(-1),
      forward: () => player.step(1),
      last: () => player.step(data.length),
      step: (count) => player.step(count),
      errorBefore: () => errors.step(-1),
      errorNext: () => errors.step(1),
      track: (index) => rows.toggle('0', index),
      allTracks: () => rows.toggleAll(rows.runs),
      unselect: () => this.pick({}),
      masks: () => {
        byId('opacity').value = byId('opacity').value === '0' ? 45 : 0;
        this.draw();
      },
      labels: () => {
        byId('labels').checked = !byId('labels').checked;
        this.draw();
      },
      speed: (count) => {
        const menu = byId('speed');
        menu.selectedIndex = Math.max(0, Math.min(menu.length - 1, menu.selectedIndex + count));
        player.video.playbackRate = Number(menu.value);
      },
    };
  }

  update() {
    if (!this.hasStarted) return;
    const { frame } = this.player;
    const seconds = (frame / this.data.fps).toFixed(2);
    byId('time').textContent = `frame ${frame} / ${this.data.length - 1} · ${seconds} s`;
    this.bar.show(frame);
    this.draw();
    this.keepState();
  }

  draw() {
    const { picture, frame } = this.player;
    const opacity = byId('opacity').value / 100;
    const labels = byId('labels').checked;
    for (const { group, panel } of this.panels) {
      panel.draw(picture, frame, { opacity, labels, selected: this.rows.selectedTube(group) });
    }
  }

  showState() {
    const { isPlaying, isBroken } = this.player;
    byId('play').setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
    byId('play').classList.toggle('plays', isPlaying);
    byId('trouble').hidden = !isBroken;
    this.keepState();
  }

  // A row was chosen, by its name or by a place on its bars.
  pick(choice, event = null) {
    this.errors.mark(null);
    this.rows.select(choice);
    if (event) this.goTo(this.bar.frameAt(event));
    this.draw();
    this.keepState();
  }

  goTo(frame, choice = null) {
    if (choice) this.rows.select(choice);
    this.player.stopAt(frame);
  }

  // The address follows, but not each frame of a video that plays.
  keepState() {
    if (!this.hasStarted || this.player.isPlaying) return;
    writeState({
      frame: this.player.frame, ...this.rows.toState(), error: this.errors.current,
    });
  }

  takeState() {
    const state = readState();
    this.errors.fromState(state);
    this.rows.fromState(state);
    const frame = Number(state.frame ?? 0);
    this.player.stopAt(Number.isInteger(frame) ? frame : 0);
  }
}

function byId(id) {
  return document.getElementById(id);
}

// Called by the data of the video.
function registerVideo(data) {
  new VideoPage(data);
}
