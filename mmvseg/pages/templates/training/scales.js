'use strict';
// Numbers of a chart: where they lie on an axis, how they are written, how curves are smoothed.

// A scale from [low, high] to [from, to] pixels.
function linearScale(low, high, from, to) {
  const factor = (to - from) / (high - low);
  const scale = value => from + (value - low) * factor;
  scale.invert = pixel => low + (pixel - from) / factor;
  scale.ticks = count => linearTicks(low, high, count);
  return scale;
}

function logScale(low, high, from, to) {
  const inner = linearScale(Math.log10(low), Math.log10(high), from, to);
  const scale = value => inner(Math.log10(value));
  scale.ticks = count => logTicks(low, high, count);
  return scale;
}

// Round numbers within [low, high], about count of them.
function linearTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
    ticks.push(Number((n * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high, count) {
  const isShort = high / low <= 100;
  const factors = isShort ? [1, 2, 5] : [1];
  const first = isShort ? Math.floor(Math.log10(low)) : Math.ceil(Math.log10(low));
  const last = Math.floor(Math.log10(high));
  const each = isShort ? 1 : Math.ceil((last - first + 1) / count);
  const ticks = [];
  for (let power = first; power <= last; power += each) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(12));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, count);
}

// The range that an axis shows of values, with some room at both ends.
function paddedRange(values, isLog) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (isLog) {
    const room = Math.max((high / low) ** 0.05, 1.02);
    return [low / room, high * room];
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function formatValue(value) {
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(5));
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? rounded.toExponential() : String(rounded);
}

const formatStep = step => step.toLocaleString('en');

// Exponential moving mean over the finite values, without the pull of a first value:
// all that came before has a weight of 1 in sum.
function smoothed(values, factor) {
  if (factor === 0) return values;
  let sum = 0;
  let weight = 0;
  return values.map(value => {
    if (value === null) return null;
    sum = factor * sum + (1 - factor) * value;
    weight = factor * weight + (1 - factor);
    return sum / weight;
  });
}

// The position of the step that lies next to a number; steps ascend.
function nearest(steps, number) {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < number) low = middle + 1; else high = middle;
  }
  return low > 0 && number - steps[low - 1] <= steps[low] - number ? low - 1 : low;
}
