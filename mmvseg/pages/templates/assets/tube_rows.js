'use strict';
// The rows of the timeline: which tubes are shown on the pictures, and which are highlighted.

// The groups of tubes are `truth`, and `0` and `1`, the results files.
class TubeRows {
  // `data`: of the video. `onChange()` is called when pictures have to be drawn anew;
  // `onPick(choice, event)` when a row was clicked: a bar of it if there is an event.
  constructor(data, onChange, onPick) {
    this.groups = { input: [], truth: withShown(data.objects) };
    data.runs.forEach((tracks, run) => { this.groups[run] = withShown(tracks); });
    this.selected = {}; // index of the highlighted tube by group
    this.onChange = onChange;
    this.rows = [...document.querySelectorAll('.row.tube')];
    for (const row of this.rows) this.listen(row, onPick);
    for (const button of document.querySelectorAll('[data-all]')) {
      button.addEventListener('click', () => this.toggleAll([button.dataset.all]));
    }
  }

  listen(row, onPick) {
    const { group } = row.dataset;
    const index = Number(row.dataset.index);
    row.querySelector('.shows').addEventListener('change', (event) => {
      this.setShown(group, index, event.target.checked);
      this.onChange();
    });
    row.querySelector('.pick').addEventListener('click', () => {
      onPick(this.selected[group] === index ? {} : { [group]: index });
    });
    row.querySelector('.lane').addEventListener('click', (event) => {
      onPick({ [group]: index }, event);
    });
  }

  get runs() {
    return Object.keys(this.groups).filter((group) => /^\d$/.test(group));
  }

  selectedTube(group) {
    return this.groups[group][this.selected[group]];
  }

  // Highlight tubes, `{group: index}`, whether they are on show or not.
  select(choice) {
    this.selected = choice;
    for (const row of this.rows) {
      const isChosen = choice[row.dataset.group] === Number(row.dataset.index);
      row.classList.toggle('selected', isChosen);
      row.querySelector('.pick').setAttribute('aria-pressed', String(isChosen));
    }
  }

  setShown(group, index, isShown) {
    this.groups[group][index].isShown = isShown;
    const row = this.rows.find(
      ({ dataset }) => dataset.group === group && Number(dataset.index) === index);
    row.querySelector('.shows').checked = isShown;
  }

  toggle(group, index) {
    const tube = this.groups[group][index];
    if (!tube) return;
    this.setShown(group, index, !tube.isShown);
    this.onChange();
  }

  // None of the groups' tubes if there is one on show, else all.
  toggleAll(groups) {
    const isAny = groups.some((group) => this.groups[group].some((tube) => tube.isShown));
    for (const group of groups) {
      this.groups[group].forEach((tube, index) => this.setShown(group, index, !isAny));
    }
    this.onChange();
  }

  // In links, tubes go by their numbers: `track` of the first file, `b` of the second, `object`.
  toState() {
    const number = (group) => (this.groups[group] && this.selectedTube(group)?.id) ?? null;
    return { track: number('0'), b: number('1'), object: number('truth') };
  }

  fromState(state) {
    const choice = {};
    for (const [group, name] of [['0', 'track'], ['1', 'b'], ['truth', 'object']]) {
      const tubes = this.groups[group] ?? [];
      const index = tubes.findIndex((tube) => String(tube.id) === state[name]);
      if (index >= 0) choice[group] = index;
    }
    this.select(choice);
  }
}

function withShown(tubes) {
  return tubes.map((tube) => ({ ...tube, isShown: !tube.hidden }));
}
