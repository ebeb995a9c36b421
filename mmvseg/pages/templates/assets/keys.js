'use strict';
// Keys of a video's page; the table of them stands at its end.

// `actions`: functions by name. Returns whether the key did something.
function pressKey(event, actions) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { target, key } = event;
  if (target.matches('select, input:not([type=checkbox]):not([type=range])')) return false;
  // these have a meaning of their own for what has the focus
  const isButton = target.matches('button, a, summary, input[type=checkbox]');
  if (isButton && (key === ' ' || key === 'Enter')) return false;
  if (target.matches('#opacity') && (key.startsWith('Arrow') || key === 'Home' || key === 'End')) {
    return false;
  }
  const far = event.shiftKey ? 10 : 1;
  const table = {
    ' ': () => actions.play(),
    ArrowLeft: () => actions.step(-far),
    ArrowRight: () => actions.step(far),
    Home: () => actions.first(),
    End: () => actions.last(),
    n: () => actions.errorNext(),
    p: () => actions.errorBefore(),
    a: () => actions.allTracks(),
    m: () => actions.masks(),
    l: () => actions.labels(),
    '[': () => actions.speed(-1),
    ']': () => actions.speed(1),
    Escape: () => actions.unselect(),
    t: toggleTheme,
  };
  const name = key.length === 1 ? key.toLowerCase() : key;
  const action = /^[1-9]$/.test(key) ? () => actions.track(Number(key) - 1) : table[name];
  if (!action) return false;
  action();
  return true;
}
