// The fields above the table of configs: rows that do not fit are hidden. The address keeps the choice.
'use strict';

document.addEventListener('DOMContentLoaded', () => {
  const zoo = document.querySelector('.zoo');
  const form = zoo.querySelector('form');
  const count = zoo.querySelector('.zoo-count');
  const titles = [...zoo.querySelectorAll('thead th')].map((cell) => cell.textContent.trim());
  const rows = [...zoo.querySelectorAll('tbody tr')].map((row) => ({
    row,
    cells: [...row.cells].map((cell) => cell.textContent.trim()),
  }));
  const fields = [...form.elements].filter((field) => field.name);

  const fits = ({ cells }) => fields.every((field) => {
    if (field.name !== 'words') {
      const values = cells[titles.indexOf(field.name)].split(' + ');
      return !field.value || values.includes(field.value);
    }
    const text = cells.join(' ').toLowerCase();
    return field.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  });

  const filter = () => {
    const shown = rows.filter((entry) => {
      entry.row.hidden = !fits(entry);
      return !entry.row.hidden;
    });
    count.textContent = `${shown.length} of ${rows.length} configs`;
    const chosen = fields.filter((field) => field.value).map((field) => [field.name, field.value]);
    history.replaceState(null, '', `#${new URLSearchParams(chosen)}`);
  };

  const choice = new URLSearchParams(location.hash.slice(1));
  for (const field of fields) {
    field.value = choice.get(field.name) ?? '';
    // a value that the list does not have leaves a select without any
    if (field.selectedIndex === -1) field.selectedIndex = 0;
  }
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  if (choice.size) filter();
});
