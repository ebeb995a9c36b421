'use strict';
// The page of trainings: its controls, which its link remembers, and all of its charts.

function registerTraining({runs, charts}) {
  const view = {shown: runs.map(() => true), smoothing: 0, isLog: false, lastStep: 0};
  const boxes = [...document.querySelectorAll('input[name="run"]')];
  const smoothing = document.getElementById('smoothing');
  const log = document.getElementById('log');

  const read = () => {
    view.shown = boxes.map(box => box.checked);
    view.smoothing = Number(smoothing.value);
    view.isLog = log.checked;
    document.getElementById('smoothing-value').textContent = smoothing.value;
    view.lastStep = lastStep(charts, view.shown);
  };
  const hidden = () => view.shown.flatMap((isShown, number) => isShown ? [] : [number]);

  restore(readState(), boxes, smoothing, log);
  read();
  const figures = document.querySelectorAll('figure.chart');
  const drawn = charts.map((data, number) => new Chart(figures[number], data, runs, view));
  document.querySelector('form.filters').addEventListener('submit', event => event.preventDefault());
  document.querySelector('form.filters').addEventListener('input', () => {
    read();
    writeState({
      smoothing: view.smoothing || null,
      log: view.isLog ? 1 : null,
      hidden: hidden().join('.'),
    });
    for (const chart of drawn) chart.redraw();
  });
  addEventListener('keydown', event => {
    if (event.key === 't' && !event.ctrlKey && !event.metaKey) toggleTheme();
  });
}

function restore(state, boxes, smoothing, log) {
  const hidden = new Set((state.hidden ?? '').split('.'));
  for (const box of boxes) box.checked = !hidden.has(box.value);
  smoothing.value = state.smoothing ?? 0;
  log.checked = state.log === '1';
}

// Where the axis of all charts ends.
function lastStep(charts, shown) {
  let last = 0;
  for (const {curves} of charts) {
    curves.forEach((curve, number) => {
      if (curve && shown[number]) last = Math.max(last, curve[0].at(-1));
    });
  }
  return last;
}
