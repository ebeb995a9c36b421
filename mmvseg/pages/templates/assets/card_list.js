'use strict';
// A list of cards. They are made as they come into sight, so thousands of videos open at once.

const BATCH = 40;

class CardList {
  // list: an empty <ol>; more: an element below it; make(item): a card
  constructor(list, more, make) {
    Object.assign(this, { list, more, make });
    this.items = [];
    this.observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.add();
    }, { rootMargin: '600px' });
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren();
    this.add();
  }

  add() {
    const start = this.list.childElementCount;
    this.list.append(...this.items.slice(start, start + BATCH).map(this.make));
    // it tells of changes alone: looked at anew, it says whether the end is still in sight
    this.observer.disconnect();
    if (this.list.childElementCount < this.items.length) this.observer.observe(this.more);
  }
}

// A slash goes to the search, T to the other theme.
function listKeys(search) {
  addEventListener('keydown', (event) => {
    if (event.target.matches('input, select') || event.ctrlKey || event.metaKey) return;
    if (event.key === '/') {
      search.focus();
      event.preventDefault();
    } else if (event.key === 't') toggleTheme();
  });
}
