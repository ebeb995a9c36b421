'use strict';
// A chart in a figure: one number of all runs over the iterations, and its values at a cursor.

const HEIGHT = 220;
const MARGIN = {left: 54, right: 12, top: 8, bottom: 24};
const FEW_POINTS = 30;

function htmlElement(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

class Chart {
  // view: {shown: which runs show, smoothing, isLog, lastStep}, shared by all charts
  constructor(figure, data, runs, view) {
    Object.assign(this, {figure, data, runs, view});
    this.width = 0;
    this.cursor = null;
    this.tip = htmlElement('div', 'tip');
    this.tip.setAttribute('role', 'status');
    this.tip.hidden = true;
    this.svg = svgElement('svg', {height: HEIGHT, tabindex: 0, role: 'img', 'aria-label': `${data.title}: curves over iterations; arrow keys show values`});
    figure.append(this.svg, this.tip);
    this.listen();
    new ResizeObserver(() => {
      const width = this.svg.clientWidth;
      if (width && width !== this.width) this.draw(width);
    }).observe(this.svg);
  }

  listen() {
    this.svg.addEventListener('pointermove', event => {
      if (!this.steps?.length) return;
      const x = event.clientX - this.svg.getBoundingClientRect().left;
      this.moveTo(nearest(this.steps, this.x.invert(x)));
    });
    this.svg.addEventListener('pointerleave', () => this.leave());
    this.svg.addEventListener('blur', () => this.leave());
    this.svg.addEventListener('keydown', event => this.onKey(event));
  }

  onKey(event) {
    if (!this.steps?.length || event.ctrlKey || event.altKey || event.metaKey) return;
    const last = this.steps.length - 1;
    const by = event.shiftKey ? 10 : 1;
    const now = this.cursor;
    const next = {
      ArrowRight: now === null ? 0 : Math.min(now + by, last),
      ArrowLeft: now === null ? last : Math.max(now - by, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (next !== undefined) this.moveTo(next);
    else if (event.key === 'Escape') this.leave();
    else return;
    event.preventDefault();
  }

  // The runs that show here, with the values that are drawn.
  lines() {
    const factor = this.data.isNoisy ? this.view.smoothing : 0;
    return this.data.curves.flatMap((curve, number) => {
      if (!curve || !this.view.shown[number]) return [];
      const [steps, values] = curve;
      return [{run: this.runs[number], steps, values, drawn: smoothed(values, factor)}];
    });
  }

  redraw() {
    if (this.width) this.draw(this.width);
  }

  draw(width) {
    this.width = width;
    this.leave();
    this.svg.replaceChildren();
    this.svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const isLog = this.data.isLoss && this.view.isLog;
    const fits = value => value !== null && (!isLog || value > 0);
    this.drawnLines = this.lines();
    this.steps = [...new Set(this.drawnLines.flatMap(line => line.steps))].sort((a, b) => a - b);
    const values = this.drawnLines.flatMap(line => line.values.filter(fits));
    if (!values.length) {
      this.svg.append(svgElement('text', {class: 'axis', x: MARGIN.left, y: HEIGHT / 2}, this.steps.length ? 'No value can be drawn.' : 'No run shows.'));
    }
    const [low, high] = values.length ? paddedRange(values, isLog) : [0, 1];
    const scale = isLog && values.length ? logScale : linearScale;
    this.x = linearScale(0, Math.max(this.view.lastStep, 1), MARGIN.left, width - MARGIN.right);
    this.y = scale(low, high, HEIGHT - MARGIN.bottom, MARGIN.top);
    this.y.fits = fits;
    this.drawAxes(width);
    for (const line of this.drawnLines) this.drawLine(line);
    this.marks = this.svg.appendChild(svgElement('g', {}));
  }

  drawAxes(width) {
    for (const tick of this.y.ticks(5)) {
      const y = this.y(tick);
      this.svg.append(
        svgElement('line', {class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y}),
        svgElement('text', {class: 'axis', x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end'}, formatValue(tick)),
      );
    }
    for (const tick of this.x.ticks(width / 90)) {
      if (!Number.isInteger(tick)) continue;
      const anchor = this.x(tick) > width - 30 ? 'end' : 'middle';
      this.svg.append(svgElement('text', {class: 'axis', x: this.x(tick), y: HEIGHT - 7, 'text-anchor': anchor}, formatStep(tick)));
    }
  }

  drawLine({run, steps, values, drawn}) {
    if (drawn !== values) this.drawPath(`line raw ${run.style}`, steps, values);
    this.drawPath(`line ${run.style}`, steps, drawn);
    const isAlone = index => !this.y.fits(drawn[index - 1] ?? null) && !this.y.fits(drawn[index + 1] ?? null);
    const hasDots = this.data.isVal || steps.length <= FEW_POINTS;
    steps.forEach((step, index) => {
      if (values[index] === null) this.drawCross(step);
      else if (this.y.fits(drawn[index]) && (hasDots || isAlone(index))) {
        this.svg.append(this.dot('dot', run, step, drawn[index], hasDots ? 2.2 : 1.6));
      }
    });
  }

  drawPath(className, steps, values) {
    let path = '';
    let pen = 'M';
    steps.forEach((step, index) => {
      if (!this.y.fits(values[index])) {
        pen = 'M';
        return;
      }
      path += `${pen}${this.x(step).toFixed(1)} ${this.y(values[index]).toFixed(1)}`;
      pen = 'L';
    });
    if (path) this.svg.append(svgElement('path', {class: className, d: path}));
  }

  drawCross(step) {
    const x = this.x(step);
    const y = HEIGHT - MARGIN.bottom;
    this.svg.append(svgElement('path', {class: 'bad', d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`}));
  }

  dot(className, run, step, value, radius) {
    return svgElement('circle', {class: `${className} ${run.style}`, cx: this.x(step), cy: this.y(value), r: radius});
  }

  moveTo(index) {
    this.cursor = index;
    const step = this.steps[index];
    const x = this.x(step);
    this.marks.replaceChildren(svgElement('line', {class: 'cursor', x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom}));
    const table = document.createElement('div');
    for (const line of this.drawnLines) {
      const at = nearest(line.steps, step);
      if (this.y.fits(line.drawn[at])) {
        this.marks.append(this.dot('dot here', line.run, line.steps[at], line.drawn[at], 4));
      }
      table.append(this.sample(line.run), htmlElement('span', 'name', line.run.name), htmlElement('span', 'value', valueText(line, at, step)));
    }
    this.tip.replaceChildren(htmlElement('b', '', `iteration ${formatStep(step)}`), table);
    const isRight = x > this.width / 2;
    this.tip.style.left = isRight ? '' : `${x + 24}px`;
    this.tip.style.right = isRight ? `${this.width - x + 24}px` : '';
    this.tip.hidden = false;
  }

  sample(run) {
    const svg = svgElement('svg', {class: 'line-sample', viewBox: '0 0 28 8', 'aria-hidden': 'true'});
    svg.append(svgElement('path', {class: `line ${run.style}`, d: 'M1 4H27'}));
    return svg;
  }

  leave() {
    this.cursor = null;
    this.tip.hidden = true;
    this.marks?.replaceChildren();
  }
}

function valueText({steps, values, drawn}, at, step) {
  const raw = values[at] === null ? 'not finite' : formatValue(values[at]);
  const text = drawn === values || values[at] === null ? raw : `${formatValue(drawn[at])} (${raw})`;
  return steps[at] === step ? text : `${text} at ${formatStep(steps[at])}`;
}
