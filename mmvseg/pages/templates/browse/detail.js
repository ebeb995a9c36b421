'use strict';
// A video in a window of its own: its sheet in full size, its objects over time, its problems.

class Detail {
  // onMove(video): the window shows another video, or null where it closes
  constructor(dialog, site, onMove) {
    Object.assign(this, { dialog, site, onMove });
    this.videos = [];
    this.video = null;
    this.body = element('div', {});
    this.before = this.button('‹ Before', 'Before (←)', () => this.step(-1));
    this.next = this.button('Next ›', 'Next (→)', () => this.step(1));
    this.rank = element('span', { class: 'note' });
    const close = this.button('Close', 'Close (esc)', () => dialog.close());
    dialog.append(element('nav', {}, this.before, this.next, this.rank, close), this.body);
    dialog.addEventListener('close', () => { this.video = null; onMove(null); });
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('keydown', (event) => this.onKey(event));
  }

  button(text, title, action) {
    const made = element('button', { type: 'button', title }, text);
    made.addEventListener('click', action);
    return made;
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowLeft') this.step(-1);
    else if (event.key === 'ArrowRight') this.step(1);
    else return;
    event.preventDefault();
  }

  // videos: those of the list, between which the buttons go
  open(video, videos) {
    this.videos = videos;
    this.show(video);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  step(by) {
    const video = this.videos[this.videos.indexOf(this.video) + by];
    if (video) this.show(video);
  }

  show(video) {
    this.video = video;
    const at = this.videos.indexOf(video);
    this.before.disabled = at <= 0;
    this.next.disabled = at + 1 >= this.videos.length;
    this.rank.textContent = at < 0 ? '' : `${at + 1} of ${this.videos.length}`;
    const [file, width, height] = video.sheet;
    this.body.replaceChildren(
      element('h2', {}, video.name),
      element('p', { class: 'note' }, `${video.length} frames, ${frameSize(video)}`),
      element('img', { src: `${this.site.sheets}/${file}`, alt: 'frames', width, height }),
      this.objects(video), ...problemList(video));
    this.onMove(video);
  }

  objects(video) {
    if (!video.objects.length) return element('p', { class: 'note' }, 'No objects.');
    const rows = video.objects.map((item, n) => element('li', {},
      element('span', { class: 'who' }, swatch(this.site.colors[n]),
        element('span', { class: 'name' }, this.site.classes[item.category]),
        element('span', { class: 'number' }, `#${item.id}`)),
      spanBars(item.spans, video.length, this.site.colors[n]),
      element('span', { class: 'note' }, objectWords(item, video))));
    return element('ol', { class: 'objects' }, ...rows);
  }
}

function objectWords(item, { length, size }) {
  const share = (100 * item.area) / (size[0] * size[1]);
  const words = [`${item.frames} of ${length} frames`];
  if (item.gaps.length) words.push(`gaps of ${item.gaps.join(', ')}`);
  words.push(`${Math.round(item.area).toLocaleString('en')} pixels (${share.toPrecision(2)} %)`);
  if (item.occlusion !== null) words.push(`occlusion ${item.occlusion.toFixed(2)}`);
  if (item.crowd) words.push('crowd');
  return words.join(' · ');
}

function spanBars(spans, length, color) {
  const bars = spans.map(([first, last]) => svgElement('rect',
    { x: first, width: last - first + 1, height: 10, fill: color }));
  const words = spans.map((span) => span.join(' to ')).join(', ');
  const label = words ? `seen in frames ${words}` : 'never seen';
  return stretched(length, { role: 'img', 'aria-label': label }, ...bars);
}

function swatch(color) {
  return svgElement('svg', { class: 'swatch', viewBox: '0 0 1 1', 'aria-hidden': 'true' },
    svgElement('rect', { width: 1, height: 1, fill: color }));
}

// A problem comes as [note or not, place, rule].
function problemList(video) {
  if (!video.problems.length) return [];
  const lines = video.problems.map(([isNote, place, rule]) => element('li', {},
    isNote ? element('span', { class: 'note' }, 'note ') : '',
    place ? element('b', {}, `${place}: `) : '', rule));
  if (video.more) lines.push(element('li', { class: 'note' }, `and ${video.more} more`));
  return [element('h3', {}, 'The checker'), element('ul', { class: 'problems' }, ...lines)];
}
