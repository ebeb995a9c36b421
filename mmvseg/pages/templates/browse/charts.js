'use strict';
// The charts of statistics: a bar for each bin of a facet. A click on one filters by it.

const MOST_ROWS = 11;

// onPick(key, bin): bin is null where the filter is to go
class FacetChart {
  constructor(facet, onPick) {
    this.facet = facet;
    this.onPick = onPick;
    this.rows = element('ol', { class: 'histogram' });
    this.more = element('button', { type: 'button', class: 'quiet' });
    this.more.addEventListener('click', () => { this.showsAll = !this.showsAll; this.draw(); });
    this.showsAll = false;
    this.figure = element('figure', { class: 'chart' },
      element('figcaption', {}, element('b', {}, facet.title), element('span', { class: 'note' },
        facet.note)), this.rows, this.more);
  }

  // counts of the bins; picked: the bin that filters, undefined for none
  show(counts, picked) {
    Object.assign(this, { counts, picked });
    this.draw();
  }

  draw() {
    const places = this.places();
    const most = Math.max(1, ...this.counts);
    const shown = this.showsAll ? places : places.slice(0, MOST_ROWS);
    this.rows.replaceChildren(...shown.map((place) => this.row(place, this.counts[place] / most)));
    this.more.hidden = places.length <= MOST_ROWS;
    this.more.textContent = this.showsAll ? 'less' : `${places.length - MOST_ROWS} more`;
  }

  // Names go by their counts, numbers stay in their order.
  places() {
    const places = this.facet.labels.map((_, place) => place);
    if (this.facet.key !== 'class') return places;
    return places.sort((a, b) => this.counts[b] - this.counts[a]);
  }

  row(place, share) {
    const bar = stretched(100, { 'aria-hidden': 'true' },
      svgElement('rect', { width: 100 * share, height: 10 }));
    const label = this.facet.labels[place];
    const isPicked = this.picked === place;
    const button = element('button', { type: 'button', 'aria-pressed': isPicked, title: label },
      element('span', { class: 'bin' }, label), bar,
      element('span', { class: 'count' }, this.counts[place].toLocaleString('en')));
    button.addEventListener('click', () => this.onPick(this.facet.key, isPicked ? null : place));
    return element('li', {}, button);
  }
}

// Bars on a scale of their own, as wide as there is room.
function stretched(length, attributes, ...bars) {
  const box = { class: 'bars', viewBox: `0 0 ${length} 10`, preserveAspectRatio: 'none' };
  return svgElement('svg', { ...box, ...attributes }, ...bars);
}
