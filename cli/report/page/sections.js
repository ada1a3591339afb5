// Sections, and what a page does whatever it shows.

function addSection(id, title, ...content) {
  if (content.length === 0) return;
  document.getElementById('main').append(element('section', {id}, element('h2', {}, title), ...content));
  document.getElementById('nav').append(element('a', {href: `#${id}`}, title), ' ');
}

function plots(charts) { return element('div', {class: 'plots'}, ...charts.map((chart) => chart.figure)); }

const mostPicks = 300;

// A field that finds names, and the plots of those that are chosen: chartOf(name).
function picker(names, what, chartOf) {
  const chosen = new Map();
  const place = plots([]);
  const list = element('div', {class: 'picks'});
  const note = element('p', {class: 'note'});
  const field = element('input', {type: 'search', id: 'search', placeholder: 'part of a name', 'aria-label': `Find ${what}`});
  const toggle = (name, on) => {
    if (on) {
      chosen.set(name, chartOf(name));
      place.append(chosen.get(name).figure);
    } else {
      chosen.get(name).remove();
      chosen.delete(name);
    }
  };
  const show = () => {
    const found = names.filter((name) => name.includes(field.value.trim()));
    list.replaceChildren(...found.slice(0, mostPicks).map((name) => {
      const box = element('input', {type: 'checkbox'});
      box.checked = chosen.has(name);
      box.addEventListener('change', () => toggle(name, box.checked));
      return element('label', {}, box, ` ${name}`);
    }));
    note.textContent = found.length > mostPicks ? `and ${found.length - mostPicks} more ${what}; more of the name finds them` : '';
  };
  field.addEventListener('input', show);
  show();
  return [element('div', {class: 'picker'}, field, list, note), place];
}

// Plots follow light, dark and paper; on paper all are drawn.
function watchLook() {
  const repaint = () => view.plots.forEach((plot) => plot.repaint());
  darkQuery.addEventListener('change', repaint);
  window.matchMedia('print').addEventListener('change', (query) => {
    printing = query.matches;
    if (printing) view.plots.forEach((plot) => plot.build());
    repaint();
  });
}
