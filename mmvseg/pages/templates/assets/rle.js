'use strict';
// COCO's compressed run-length codes.

// Lengths of the alternating runs of a mask, zeros first, down the columns. A number is a row of
// characters with 5 bits each, the least first; from the fourth on it is a difference to the number
// two before.
function decodeRuns(counts) {
  const runs = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 0;
    let bits;
    do {
      bits = counts.charCodeAt(at) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
      at += 1;
    } while (bits & 32);
    if (bits & 16) value |= -1 << shift;
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}

// Write a value into the pixels of a mask; `map` goes down the columns, as the runs do. Returns the
// uppermost pixel of the mask as {x, y}, or null if it has none.
function paintMask(map, counts, value, height) {
  let start = 0;
  let isInside = false;
  let top = null;
  for (const run of decodeRuns(counts)) {
    if (isInside && run > 0) {
      map.fill(value, start, start + run);
      const first = start % height;
      const y = first + run > height ? 0 : first;
      const x = Math.floor(start / height) + (y < first ? 1 : 0);
      if (top === null || y < top.y) top = { x, y };
    }
    start += run;
    isInside = !isInside;
  }
  return top;
}
