'use strict';
// Links to the videos before and after this one, in the order of their errors.

function registerVideos(site) {
  const { page } = document.getElementById('page').dataset;
  const order = ranked(site.videos, site.kinds.length ? 'cost' : 'file', new Set(), '');
  const at = order.findIndex((video) => video.page === page);
  if (at < 0) return;
  for (const [id, other] of [['previous', order[at - 1]], ['next', order[at + 1]]]) {
    if (!other) continue;
    const link = document.getElementById(id);
    link.href = `${other.page}.html`;
    link.title = other.name;
    link.hidden = false;
  }
  const what = site.kinds.length ? ', most errors first' : '';
  document.getElementById('rank').textContent = `${at + 1} of ${order.length}${what}`;
}
