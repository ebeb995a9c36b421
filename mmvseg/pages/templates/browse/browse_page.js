'use strict';
// The page of a data set: filters and charts, which its link remembers, and a card for each video.

const MOST_CHIPS = 6;

function registerDataset(site) {
  const find = (id) => document.getElementById(id);
  const facets = makeFacets(site);
  const cards = new CardList(find('videos'), find('more'), card);
  const detail = new Detail(find('detail'), site, () => remember());
  const useful = facets.filter(({ labels }) => labels.length > 1);
  const selects = new Map(useful.map((facet) => [facet.key, addSelect(facet)]));
  const charts = useful.map((facet) => addChart(facet));
  let shown = [];
  let fitted = new Map();

  function addSelect(facet) {
    const options = facet.labels.map((label, place) => element('option', { value: place }, label));
    const select = element('select', { id: `of-${facet.key}` },
      element('option', { value: '' }, 'all'), ...options);
    find('facets').append(element('label', {}, `${facet.title} `, select));
    return select;
  }

  function addChart(facet) {
    const chart = new FacetChart(facet, (key, place) => {
      selects.get(key).value = place ?? '';
      update();
    });
    find('charts').append(chart.figure);
    return chart;
  }

  // The bin of each facet that filters, by key.
  function chosen() {
    const set = [...selects].filter(([, select]) => select.value !== '');
    return Object.fromEntries(set.map(([key, select]) => [key, Number(select.value)]));
  }

  function update() {
    const text = find('search').value.trim();
    const bins = chosen();
    fitted = new Map(site.videos.map((video) => [video, fitting(video, facets, bins, text)]));
    shown = ordered(site.videos.filter((video) => fitted.get(video)), find('order').value);
    cards.show(shown);
    for (const chart of charts) {
      const counts = binCounts(chart.facet, site.videos, facets, bins, text);
      chart.show(counts, bins[chart.facet.key]);
    }
    find('nothing').hidden = shown.length > 0;
    find('found').textContent = `${shown.length} of ${site.videos.length}`;
    find('all').hidden = !text && !Object.keys(bins).length;
    remember();
  }

  function remember() {
    const picked = Object.entries(chosen()).map(([key, place]) => [key, labelOf(key, place)]);
    writeState({
      q: find('search').value.trim(),
      ...Object.fromEntries(picked),
      order: find('order').value === 'file' ? '' : find('order').value,
      video: detail.video?.page ?? null,
    });
  }

  const labelOf = (key, place) => useful.find((facet) => facet.key === key).labels[place];

  function takeState() {
    const state = readState();
    find('search').value = state.q ?? '';
    for (const { key, labels } of useful) {
      const place = labels.indexOf(state[key]);
      selects.get(key).value = place < 0 ? '' : place;
    }
    find('order').value = Object.hasOwn(ORDERS, state.order) ? state.order : 'file';
    const video = site.videos.find(({ page }) => page === state.video);
    update();
    if (video) detail.open(video, shown);
    else find('detail').close();
  }

  function card(video) {
    const [file, width, height] = video.sheet;
    const image = element('img', {
      src: `${site.sheets}/${file}`, alt: '', loading: 'lazy', decoding: 'async', width, height,
    });
    const name = element('span', { class: 'name', title: video.name }, video.name);
    const link = element('a', { href: `#video=${video.page}` }, image, name);
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      detail.open(video, shown);
    });
    return element('li', { class: 'card' }, link, facts(video), chips(video));
  }

  function facts(video) {
    return element('p', { class: 'facts' }, `${video.length} frames · ${frameSize(video)}`);
  }

  function chips(video) {
    const fit = new Set(fitted.get(video));
    const made = video.objects.slice(0, MOST_CHIPS).map((item, n) => element('span',
      { class: fit.has(item) ? 'chip' : 'chip faint' },
      swatch(site.colors[n]), element('span', {}, site.classes[item.category])));
    const rest = video.objects.length - made.length;
    if (rest > 0) made.push(element('span', { class: 'chip' }, `and ${rest} more`));
    if (!video.objects.length) made.push(element('span', { class: 'note' }, 'no objects'));
    if (video.faults) {
      const words = video.faults === 1 ? '1 problem' : `${video.faults} problems`;
      const first = video.problems.find(([isNote]) => !isNote) ?? [0, '', ''];
      const title = [first[1], first[2]].filter(Boolean).join(': ');
      made.unshift(element('span', { class: 'chip fault', title }, words));
    }
    return element('p', { class: 'chips' }, ...made);
  }

  find('all').addEventListener('click', () => {
    find('search').value = '';
    for (const select of selects.values()) select.value = '';
    update();
  });
  document.querySelector('form').addEventListener('input', update);
  document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  addEventListener('hashchange', takeState);
  listKeys(find('search'));
  // the list is what a small screen has room for
  if (matchMedia('(max-width: 760px)').matches) find('statistics').open = false;
  takeState();
}
