'use strict';
// What videos can be filtered by, and what the charts count: facets, each a few bins. A video or an
// object is in one bin of each facet.

const MOST_BINS = 10;
const MOST_SIZES = 12;
const MANY = 50;

// An object comes as [id, class, area, occlusion, crowd, first, last, first, last, ...].
function readObject([id, category, area, occlusion, crowd, ...bounds]) {
  const spans = [];
  for (let i = 0; i < bounds.length; i += 2) spans.push([bounds[i], bounds[i + 1]]);
  const frames = spans.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const gaps = spans.slice(1).map(([first], i) => first - spans[i][1] - 1);
  return { id, category, area, occlusion, crowd, spans, frames, gaps, bins: {} };
}

// {labels, bin}: names of the bins, and the bin of a value. Bins of whole numbers; a last one for
// all that is far off.
function wholeBins(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const most = sorted.at(-1) ?? 0;
  const usual = sorted[Math.floor(sorted.length * 0.98)] ?? 0;
  const isOpen = sorted.length >= MANY && most - low + 1 > 2 * (usual - low + 1);
  const high = isOpen ? usual : most;
  const width = niceWidth((high - low + 1) / MOST_BINS);
  const start = width === 1 ? low : Math.floor(low / width) * width;
  const count = Math.floor((high - start) / width) + 1;
  const labels = Array.from({ length: count }, (_, n) => {
    const first = start + n * width;
    const last = Math.min(first + width - 1, most);
    return first === last ? String(first) : `${first}-${last}`;
  });
  if (isOpen) labels.push(`${start + count * width} or more`);
  return { labels, bin: (value) => Math.min(Math.floor((value - start) / width), count) };
}

function niceWidth(least) {
  for (let power = 1; ; power *= 10) {
    const found = [1, 2, 5].find((factor) => factor * power >= least);
    if (found) return found * power;
  }
}

// Bins of sides, each twice as large as the one before; so are the bounds of the official groups of
// size, 128 and 256.
function sideBins(areas) {
  const power = (area) => Math.max(3, Math.floor(Math.log2(area) / 2));
  const powers = areas.map(power);
  const low = powers.reduce((least, value) => Math.min(least, value), Infinity);
  const high = powers.reduce((most, value) => Math.max(most, value), low);
  const labels = Array.from({ length: areas.length ? high - low + 1 : 0 }, (_, n) => (
    low + n === 3 ? 'under 16' : `${2 ** (low + n)} to ${2 ** (low + n + 1)}`));
  return { labels, bin: (area) => power(area) - low };
}

const GAPS = ['none', '1', '2-3', '4-7', '8-15', '16 or more'];
const gapBin = (frames) => (frames ? Math.min(Math.floor(Math.log2(frames)) + 1, 5) : 0);

// Of scores between 0 and 1; null where none is given.
function occlusionBins(scores) {
  const labels = ['0', 'up to 0.25', '0.25 to 0.5', 'over 0.5'];
  if (scores.includes(null)) labels.push('not given');
  const bin = (score) => [0, 0.25, 0.5].filter((bound) => score > bound).length;
  return { labels, bin: (score) => (score === null ? 4 : bin(score)) };
}

// Names that occur, the most frequent first, those that are rare together.
function nameBins(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const labels = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  if (labels.length > MOST_SIZES) labels.splice(MOST_SIZES - 1, Infinity, 'others');
  const places = new Map(labels.map((label, n) => [label, n]));
  return { labels, bin: (name) => places.get(name) ?? labels.length - 1 };
}

const frameSize = (video) => `${video.size[1]} × ${video.size[0]}`;

// The facets of a data set; reads its objects, and gives everything its bins.
function makeFacets(site) {
  for (const video of site.videos) {
    video.objects = video.objects.map(readObject);
    video.bins = {};
  }
  const { videos } = site;
  const objects = videos.flatMap((video) => video.objects);
  const facet = (key, title, note, ofObjects, value, binsOf) => {
    const items = ofObjects ? objects : videos;
    const values = items.map(value);
    const { labels, bin } = binsOf(values);
    items.forEach((item, n) => { item.bins[key] = bin(values[n]); });
    return { key, title, note, ofObjects, labels };
  };
  const fixed = (labels, bin) => () => ({ labels, bin });
  return [
    facet('class', 'Class', 'objects', true,
      (item) => item.category, fixed(site.classes, (category) => category)),
    facet('objects', 'Objects a video', 'videos', false,
      (video) => video.objects.length, wholeBins),
    facet('frames', 'Length of videos', 'videos, by frames', false,
      (video) => video.length, wholeBins),
    facet('track', 'Length of tracks', 'objects, by frames with a mask', true,
      (item) => item.frames, wholeBins),
    facet('side', 'Size of objects', 'objects, by √ of mean area', true,
      (item) => item.area, sideBins),
    facet('gap', 'Longest gap', 'objects, by frames out of sight', true,
      (item) => Math.max(0, ...item.gaps), fixed(GAPS, gapBin)),
    ...(objects.some((item) => item.occlusion !== null) ? [
      facet('occlusion', 'Occlusion', 'objects, by mean of the more occluded half of frames', true,
        (item) => item.occlusion, occlusionBins),
    ] : []),
    facet('size', 'Frame size', 'videos', false, frameSize, nameBins),
    ...(videos.some((video) => video.faults) ? [
      facet('problems', 'Checker', 'videos', false,
        (video) => Number(video.faults > 0), fixed(['no problems', 'problems'], (has) => has)),
    ] : []),
  ];
}

// Which objects count, and whether the video does: `chosen` has the bin of each facet that filters,
// by key. Where facets of objects filter, one object has to fit them all.
function fitting(video, facets, chosen, text) {
  const filters = facets.filter(({ key }) => key in chosen);
  const holds = (item, ofObjects) => filters.every(
    (facet) => facet.ofObjects !== ofObjects || item.bins[facet.key] === chosen[facet.key]);
  if (text && !video.name.toLowerCase().includes(text.toLowerCase())) return null;
  if (!holds(video, false)) return null;
  if (!filters.some((facet) => facet.ofObjects)) return video.objects;
  const fit = video.objects.filter((item) => holds(item, true));
  return fit.length ? fit : null;
}

// How many objects or videos are in each bin of a facet, whatever it filters itself.
function binCounts(facet, videos, facets, chosen, text) {
  const others = { ...chosen };
  delete others[facet.key];
  const counts = facet.labels.map(() => 0);
  for (const video of videos) {
    const objects = fitting(video, facets, others, text);
    if (!objects) continue;
    if (facet.ofObjects) for (const item of objects) counts[item.bins[facet.key]] += 1;
    else counts[video.bins[facet.key]] += 1;
  }
  return counts;
}

const ORDERS = {
  file: null,
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  problems: (a, b) => b.faults - a.faults,
  objects: (a, b) => b.objects.length - a.objects.length,
  long: (a, b) => b.length - a.length,
};

// A copy in the wanted order; equal ones stay in the order of the file.
function ordered(videos, order) {
  return ORDERS[order] ? videos.toSorted(ORDERS[order]) : [...videos];
}
