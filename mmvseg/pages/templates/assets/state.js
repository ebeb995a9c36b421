'use strict';
// What a link says: the part of the address behind #, such as #frame=12&track=3.

function readState() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

// Values that are empty or null are left out. Nothing is added to the list of visited pages.
function writeState(state) {
  const kept = Object.entries(state).filter(([, value]) => value !== null && value !== '');
  const hash = new URLSearchParams(kept).toString();
  if (hash === location.hash.slice(1)) return;
  try {
    history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
  } catch { /* some browsers allow it only so often; the next change comes */ }
}
