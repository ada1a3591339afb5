// Puts the page of a sweep together: answers first, then what they are made of.

const drawn = sweep.metrics.slice(0, sweep.drawn);

// The parameter that metrics are drawn over: at first one with numbers.
let over = Math.max(0, sweep.parameters.findIndex((parameter) => new Axis(parameter).numeric));

// The choice of it, where there is one.
function offerParameters() {
  const select = document.getElementById('over');
  select.append(...sweep.parameters.map(({name}, p) => element('option', {value: p}, name)));
  select.value = over;
  select.addEventListener('change', () => {
    over = Number(select.value);
    view.plots.forEach((plot) => plot.set(over));
  });
  document.getElementById('choice').hidden = sweep.parameters.length < 2;
}

function addSearch(search, i) {
  const answers = search.answers.split('\n').filter((line) => line).map((line) => element('p', {class: 'answer'}, line));
  const stopped = search.stopped ? [element('p', {class: 'warn'}, `The search has not come to its end: ${search.stopped}`)] : [];
  const tried = search.groups.some((group) => group.tried.length > 0);
  addSection(`search${i}`, `The ${search.title.split(' where ')[0]}`, element('p', {class: 'note'}, search.title.trim()), ...answers, ...stopped,
      ...(tried ? [element('div', {class: 'plots one'}, searchChart(search).figure), element('p', {class: 'note'},
          'The share of runs at each value that was tried, with its bounds at the confidence that the search divides among all its looks; hollow where these do not tell.'),
      ...searchTable(search)] : []));
}

function addMetrics() {
  const dots = drawn.some((metric) => metric.runs) ? '; the small dots are single runs' : '';
  if (drawn.length > 0) {
    addSection('metrics', 'Metrics', plots(drawn.map((metric) => metricChart(metric, over))),
        element('p', {class: 'note'}, `Medians over seeds, with their 95% intervals where there are runs enough (six)${dots}.`),
        ...more(sweep.wanted - sweep.drawn, 'metric', 'the field of other metrics finds them'));
  }
  if (sweep.points.length > 0) addSection('points', 'Points', ...pointTable(drawn));
}

function addOthers() {
  const byName = new Map(sweep.metrics.map((metric) => [metric.name, metric]));
  const others = [...byName.keys()].slice(sweep.drawn);
  if (others.length > 0) addSection('others', 'Other metrics', ...picker(others, 'metrics', (name) => metricChart(byName.get(name), over)));
  if (sweep.constants.length === 0) return;
  addSection('constant', 'The same in all runs', element('details', {}, element('summary', {}, counted(sweep.constants.length, 'metric')),
      table(['metric', {n: 'value'}], sweep.constants.map(({name, unit, value}) => [name, {n: metricText(value, unit)}]))));
}

function start() {
  document.title = `${sweep.path} - numasim report`;
  const name = sweep.path.split('/').pop();
  document.querySelector('h1').textContent = `${name}: ${counted(sweep.pointsWithRuns, 'point')}, ${counted(sweep.runs, 'run')}`;
  document.getElementById('main').append(...warnings());
  offerParameters();
  sweep.searches.forEach(addSearch);
  addMetrics();
  addSection('failures', 'Runs that failed', ...messageTable(sweep.failures));
  addSection('unmet', 'Runs that are not as expected', ...messageTable(sweep.unmet));
  addOthers();
  addSection('summary', 'Summary', summaryTable(), ...texts());
  watchLook();
}

start();
