'use strict';
// A video's page: one player, all panels drawn from it, and the timeline below.

// Groups of tubes are `truth`, `0` and `1`, the runs.
function registerVideo(data) {
  const find = (id) => document.getElementById(id);
  const shownTubes = (tubes) => tubes.map((tube) => ({ ...tube, isShown: !tube.hidden }));
  const groups = { input: [], truth: shownTubes(data.objects) };
  data.runs.forEach((tracks, run) => { groups[run] = shownTubes(tracks); });
  const rows = [...document.querySelectorAll('.row.tube')];
  const errors = [...document.querySelectorAll('.error')];
  const panels = [...document.querySelectorAll('[data-panel]')].map((figure) => new Panel(
    figure.querySelector('canvas'), data.size, groups[figure.dataset.panel]));
  let selected = null; // {group, index}
  let error = null; // number of the error that was asked for last
  let hasStarted = false;

  const player = new Player(find('video'), data.length, data.fps, onFrame, onChange);

  function onFrame(frame) {
    draw();
    find('time').textContent = `frame ${frame} of ${data.length} · ${(frame / data.fps).toFixed(2)} s`;
    find('seek').value = frame;
    find('seek').setAttribute('aria-valuetext', `frame ${frame}`);
    placePlayhead();
    if (hasStarted && !player.isPlaying) keepState();
  }

  function draw() {
    const options = {
      opacity: find('opacity').value / 100,
      labels: find('labels').checked,
      selected: selected && groups[selected.group][selected.index],
    };
    for (const panel of panels) panel.draw(player.picture, player.frame, options);
  }

  function onChange() {
    const isPlaying = player.isPlaying;
    find('play').textContent = isPlaying ? '❚❚' : '►';
    find('play').setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
    if (player.isBroken) {
      find('trouble').textContent = 'This browser cannot play the video (H.264 in mp4): the masks '
        + 'are drawn without pictures.';
      find('trouble').hidden = false;
    }
    if (hasStarted && !isPlaying) keepState();
  }

  function keepState() {
    const state = { frame: player.frame, track: null, b: null, object: null, error };
    const names = { truth: 'object', 0: 'track', 1: 'b' };
    if (selected) state[names[selected.group]] = groups[selected.group][selected.index].id;
    writeState(state);
  }

  function takeState() {
    const state = readState();
    const wanted = [['truth', state.object], ['0', state.track], ['1', state.b]]
      .map(([group, id]) => ({
        group, index: (groups[group] ?? []).findIndex((tube) => String(tube.id) === id),
      }))
      .find(({ index }) => index >= 0);
    error = errors[state.error] ? Number(state.error) : null;
    select(wanted ?? null);
    markError();
    const frame = Number(state.frame ?? errors[error]?.dataset.frame ?? 0);
    player.seek(Number.isInteger(frame) ? frame : 0);
  }

  function select(choice) {
    selected = choice;
    for (const row of rows) {
      const isChosen = choice !== null && row.dataset.group === choice.group
        && Number(row.dataset.index) === choice.index;
      row.classList.toggle('selected', isChosen);
      row.querySelector('.pick').setAttribute('aria-pressed', String(isChosen));
      if (isChosen) row.scrollIntoView({ block: 'nearest' });
    }
    if (choice !== null) setShown(choice.group, choice.index, true);
  }

  function setShown(group, index, isShown) {
    groups[group][index].isShown = isShown;
    const row = rows.find(({ dataset }) => dataset.group === group && Number(dataset.index) === index);
    row.querySelector('.shows').checked = isShown;
  }

  function toggleAll(group) {
    const isAny = groups[group].some((tube) => tube.isShown);
    groups[group].forEach((tube, index) => setShown(group, index, !isAny));
    draw();
  }

  function goToError(number) {
    const { dataset } = errors[number];
    error = number;
    markError();
    if (dataset.track !== undefined) select({ group: dataset.run, index: Number(dataset.track) });
    else if (dataset.object !== undefined) select({ group: 'truth', index: Number(dataset.object) });
    else select(null);
    player.video.pause();
    player.seek(Number(dataset.frame));
  }

  function markError() {
    errors.forEach((button, number) => {
      if (number === error) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    });
    for (const marker of document.querySelectorAll('.marker')) {
      const isCurrent = marker.dataset.errors.split(' ').includes(String(error));
      marker.classList.toggle('current', isCurrent);
    }
  }

  function stepError(count) {
    if (!errors.length) return;
    const before = error ?? (count > 0 ? -1 : 0);
    goToError((before + count + errors.length) % errors.length);
  }

  // The lanes of all rows have one left and one width.
  function frameAt(clientX) {
    const box = find('bar').getBoundingClientRect();
    const frame = Math.floor((clientX - box.left) / box.width * data.length);
    return Math.max(0, Math.min(data.length - 1, frame));
  }

  function placePlayhead() {
    const bar = find('bar');
    const line = find('playhead');
    line.style.left = `${bar.offsetLeft + (player.frame + 0.5) / data.length * bar.offsetWidth}px`;
    line.style.height = `${line.parentElement.scrollHeight}px`;
  }

  function changeSpeed(count) {
    const menu = find('speed');
    menu.selectedIndex = Math.max(0, Math.min(menu.length - 1, menu.selectedIndex + count));
    player.video.playbackRate = Number(menu.value);
  }

  const actions = {
    play: () => player.toggle(),
    step: (count) => player.step(count),
    first: () => player.step(-data.length),
    last: () => player.step(data.length),
    error: stepError,
    allTracks: () => Object.keys(groups).filter((group) => /\d/.test(group)).forEach(toggleAll),
    track: (index) => {
      if (!groups[0][index]) return;
      setShown('0', index, !groups[0][index].isShown);
      draw();
    },
    masks: () => {
      find('opacity').value = find('opacity').value === '0' ? 45 : 0;
      draw();
    },
    labels: () => {
      find('labels').checked = !find('labels').checked;
      draw();
    },
    speed: changeSpeed,
    select: (choice) => {
      error = null;
      markError();
      select(choice);
      draw();
      keepState();
    },
  };

  const buttons = {
    first: actions.first,
    back: () => actions.step(-1),
    play: actions.play,
    forward: () => actions.step(1),
    last: actions.last,
    'error-back': () => stepError(-1),
    'error-next': () => stepError(1),
  };
  for (const button of document.querySelectorAll('[data-do]')) {
    button.addEventListener('click', buttons[button.dataset.do]);
  }
  for (const row of rows) {
    const choice = { group: row.dataset.group, index: Number(row.dataset.index) };
    row.querySelector('.shows').addEventListener('change', (event) => {
      setShown(choice.group, choice.index, event.target.checked);
      draw();
    });
    row.querySelector('.pick').addEventListener('click', () => {
      const isChosen = row.classList.contains('selected');
      actions.select(isChosen ? null : choice);
    });
    row.querySelector('.lane').addEventListener('click', (event) => {
      actions.select(choice);
      player.step(frameAt(event.clientX) - player.frame);
    });
  }
  for (const button of document.querySelectorAll('[data-all]')) {
    button.addEventListener('click', () => toggleAll(button.dataset.all));
  }
  for (const button of errors) {
    button.addEventListener('click', () => goToError(Number(button.dataset.error)));
  }
  for (const marker of document.querySelectorAll('.marker')) {
    // of several errors in a frame, one after the other
    marker.addEventListener('click', () => {
      const numbers = marker.dataset.errors.split(' ').map(Number);
      goToError(numbers[(numbers.indexOf(error) + 1) % numbers.length]);
    });
  }
  for (const placed of document.querySelectorAll('[data-at]')) {
    placed.style.left = `${(Number(placed.dataset.at) + 0.5) / data.length * 100}%`;
  }

  // The pointer on the bar; keys and screen readers use the slider in it.
  const bar = find('bar');
  bar.addEventListener('pointerdown', (event) => {
    if (event.target.matches('.marker') || event.button !== 0) return;
    bar.setPointerCapture(event.pointerId);
    player.video.pause();
    player.seek(frameAt(event.clientX));
  });
  bar.addEventListener('pointermove', (event) => {
    if (bar.hasPointerCapture(event.pointerId)) player.seek(frameAt(event.clientX));
  });
  find('seek').addEventListener('input', (event) => {
    player.video.pause();
    player.seek(Number(event.target.value));
  });
  find('speed').addEventListener('change', () => changeSpeed(0));
  for (const id of ['opacity', 'labels']) find(id).addEventListener('input', draw);
  addEventListener('keydown', (event) => {
    if (pressKey(event, actions)) event.preventDefault();
  });
  addEventListener('resize', () => { placePlayhead(); draw(); });
  addEventListener('hashchange', takeState);

  const start = () => { hasStarted = true; takeState(); };
  if (player.isBroken || player.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) start();
  else {
    player.video.addEventListener('loadeddata', start, { once: true });
    player.video.addEventListener('error', start, { once: true });
  }
  placePlayhead();
}
