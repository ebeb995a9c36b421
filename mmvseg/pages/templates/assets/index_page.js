'use strict';
// The list of videos: its filters, which its link remembers, and a card for each video.

function registerVideos(site) {
  const find = (id) => document.getElementById(id);
  const cards = new CardList(find('videos'), find('more'), card);
  const boxes = [...document.querySelectorAll('input[name=kind]')];
  let filter = null;

  function readFilter() {
    return {
      text: find('search').value.trim(),
      category: find('category').value,
      kinds: new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
      order: find('order').value,
    };
  }

  function update() {
    filter = readFilter();
    const fitted = site.videos.filter((video) => fits(video, filter, site.runs));
    const shown = ranked(fitted, filter.order, filter.kinds, filter.category);
    cards.show(shown);
    showTotals();
    find('nothing').hidden = shown.length > 0;
    find('found').textContent = `${shown.length} of ${site.videos.length}`;
    writeState({
      q: filter.text,
      class: filter.category,
      errors: [...filter.kinds].join(','),
      order: filter.order === find('order').options[0].value ? '' : filter.order,
    });
  }

  function card(video) {
    const image = element('img', {
      src: `videos/${video.page}.jpg`, alt: '', loading: 'lazy', decoding: 'async',
      width: video.thumb[0], height: video.thumb[1],
    });
    const name = element('span', { class: 'name', title: video.name }, video.name);
    const link = element('a', { href: `videos/${video.page}.html` }, image, name);
    return element('li', { class: 'card' }, link, facts(video), ...errorChips(video));
  }

  function facts(video) {
    const parts = [`${video.length} frames`];
    if (video.objects !== null) parts.push(`${video.objects} objects`);
    parts.push(`${video.tracks.join(' / ')} ${site.noun}`);
    return element('p', { class: 'facts' }, parts.join(' · '));
  }

  function errorChips(video) {
    if (!site.kinds.length) return [];
    const costs = site.runs.map(
      (name, run) => costOf(video, run, filter.kinds, filter.category).toFixed(2));
    const texts = site.runs.length === 2 ? costs.map((cost, run) => `${'AB'[run]} ${cost}`) : costs;
    const line = element('p', { class: 'costs' }, 'cost ', element('b', {}, texts.join(' · ')));
    const chips = site.kinds.flatMap((kind) => {
      const counts = site.runs.map((name, run) => fitting(video, run, new Set([kind]), filter.category)
        .reduce((sum, entry) => sum + entry[ERROR.count], 0));
      if (!counts.some((count) => count)) return [];
      return [element('span', { class: `chip kind-${kind}` },
        element('span', {}, kind), ' ', element('b', {}, counts.join(' / ')))];
    });
    return [line, element('p', { class: 'chips' }, ...chips)];
  }

  // Of all videos, beside the kinds.
  function showTotals() {
    for (const place of document.querySelectorAll('[data-total]')) {
      const kinds = new Set([place.dataset.total]);
      const counts = site.runs.map((name, run) => site.videos
        .flatMap((video) => fitting(video, run, kinds, filter.category))
        .reduce((sum, entry) => sum + entry[ERROR.count], 0));
      place.textContent = counts.join(' / ');
    }
  }

  function takeState() {
    const state = readState();
    find('search').value = state.q ?? '';
    for (const [id, key] of [['category', 'class'], ['order', 'order']]) {
      const values = [...find(id).options].map((option) => option.value);
      find(id).value = values.includes(state[key]) ? state[key] : values[0];
    }
    const wanted = (state.errors ?? '').split(',');
    for (const box of boxes) box.checked = wanted.includes(box.value);
    update();
  }

  document.querySelector('form').addEventListener('input', update);
  document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  addEventListener('hashchange', takeState);
  listKeys(find('search'));
  takeState();
}
