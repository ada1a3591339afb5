// Puts the page together.

function addSection(id, title, ...content) {
  if (content.length === 0) return;
  document.getElementById('main').append(element('section', {id}, element('h2', {}, title), ...content));
  document.getElementById('nav').append(element('a', {href: `#${id}`}, title), ' ');
}

function plots(charts) { return element('div', {class: 'plots'}, ...charts.map((chart) => chart.figure)); }

// A field that finds counters, and the plots of those that are chosen.
function picker(groups) {
  const chosen = new Map();
  const place = plots([]);
  const list = element('div', {class: 'picks'});
  const field = element('input', {type: 'search', id: 'search', placeholder: 'part of a name', 'aria-label': 'Find counters'});
  const toggle = (group, on) => {
    if (on) {
      chosen.set(group.counter, chartOf(group));
      place.append(chosen.get(group.counter).figure);
    } else {
      chosen.get(group.counter).remove();
      chosen.delete(group.counter);
    }
  };
  const show = () => {
    const found = groups.filter((group) => group.counter.includes(field.value.trim()));
    list.replaceChildren(...found.map((group) => {
      const box = element('input', {type: 'checkbox'});
      box.checked = chosen.has(group.counter);
      box.addEventListener('change', () => toggle(group, box.checked));
      return element('label', {}, box, ` ${group.counter}`);
    }));
  };
  field.addEventListener('input', show);
  show();
  return [element('div', {class: 'picker'}, field, list), place];
}

function addCounters() {
  const {counters, constant} = collect();
  const rest = new Map(counters);
  for (const {id, title, has} of sections) {
    const charts = [];
    for (const [counter, group] of counters) {
      if (!has.test(counter) || !rest.delete(counter)) continue;
      charts.push(chartOf(group));
    }
    if (id === 'memory') {
      charts.push(...orderCharts());
      for (const counter of [...rest.keys()]) if (counter.startsWith('free_blocks.')) rest.delete(counter);
    }
    const lanes = id === 'failures' ? laneSection() : [];
    addSection(id, title, ...lanes, ...(charts.length > 0 ? [plots(charts)] : []));
  }
  addSection('pageblocks', 'Pageblocks at the end', ...pageblockSection());
  addSection('operations', 'Operations and faults', ...operationSection());
  addSection('locks', 'Locks', ...lockSection());
  if (rest.size > 0) addSection('others', 'Other counters', ...picker([...counters.values()].filter((g) => !g.counter.startsWith('free_blocks.'))));
  if (constant.size > 0) {
    addSection('constant', 'What never changes', element('details', {}, element('summary', {}, `${constant.size} counters`),
        table(['counter', {n: 'value'}], [...constant.values()].map((column) => [column.name, {n: valueText(column.value, column.unit)}]))));
  }
}

function start() {
  document.title = `${traces.map((trace) => trace.label).join(', ')} - numasim report`;
  const notes = traces.filter((trace) => trace.cut).map((trace) => element('p', {class: 'warn'},
      `${trace.label} is not whole, and shown as far as it goes: ${trace.cut}`));
  addSection('summary', 'Summary', ...notes, summaryTable(), ...scenarioTexts());
  addCounters();
  document.getElementById('in').addEventListener('click', () => view.zoom(0.5));
  document.getElementById('out').addEventListener('click', () => view.zoom(2));
  document.getElementById('reset').addEventListener('click', () => view.reset());
  view.tell();
  const repaint = () => view.plots.forEach((plot) => plot.repaint());
  darkQuery.addEventListener('change', repaint);
  window.matchMedia('print').addEventListener('change', (query) => {
    printing = query.matches;
    if (printing) view.plots.forEach((plot) => plot.build());
    repaint();
  });
}

start();
