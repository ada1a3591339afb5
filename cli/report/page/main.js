// Puts the page together.

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
  if (rest.size > 0) addSection('others', 'Other counters', ...picker(
      [...counters.keys()].filter((counter) => !counter.startsWith('free_blocks.')), 'counters', (counter) => chartOf(counters.get(counter))));
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
  watchLook();
}

start();
