'use strict';
// The videos in the order of their errors. An error entry is [run, kind, category, count, cost].

const ERROR = { run: 0, kind: 1, category: 2, count: 3, cost: 4 };

// Cost of those errors of a run that fit; `kinds` is a set (empty for all), `category` '' for all.
function costOf(video, run, kinds, category) {
  return fitting(video, run, kinds, category).reduce((sum, entry) => sum + entry[ERROR.cost], 0);
}

function fitting(video, run, kinds, category) {
  return video.errors.filter((entry) => entry[ERROR.run] === run
    && (!kinds.size || kinds.has(entry[ERROR.kind]))
    && (!category || entry[ERROR.category] === category));
}

// A class alone asks for videos that have it, in truth or prediction; kinds ask for such errors.
function fits(video, { text, category, kinds }, runs) {
  if (text && !video.name.toLowerCase().includes(text.toLowerCase())) return false;
  if (category && !video.categories.includes(category)) return false;
  if (!kinds.size) return true;
  return runs.some((name, run) => fitting(video, run, kinds, category).length > 0);
}

// A copy in the wanted order; equal ones stay in the order of the file.
function ranked(videos, order, kinds, category) {
  if (order === 'file') return [...videos];
  if (order === 'name') {
    return videos.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }
  const value = (video) => {
    const first = costOf(video, 0, kinds, category);
    if (order === 'cost') return first;
    const more = costOf(video, 1, kinds, category) - first;
    return order === 'worse' ? more : -more;
  };
  const values = new Map(videos.map((video) => [video, value(video)]));
  return videos.toSorted((a, b) => values.get(b) - values.get(a));
}
