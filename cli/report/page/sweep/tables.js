// The sweep as tables: what it is of, its points, its searches, and the messages of its runs.

const mostRows = 1000;
const mostColumns = 12;  // metrics

function counted(count, what) { return `${countText(count)} ${what}${count === 1 ? '' : 's'}`; }

function warnings() {
  const found = [];
  const searching = sweep.searches.length > 0;
  const wanted = sweep.allPoints * sweep.seeds;
  if (!sweep.complete) found.push(`The sweep has not come to its end: it has ${searching ? '' : `${countText(sweep.runs)} of `}${counted(searching ? sweep.runs : wanted, 'run')}.`);
  if (sweep.failures.of > 0) found.push(`${countText(sweep.failures.of)} of ${counted(sweep.runs, 'run')} failed, and are in no plot.`);
  if (sweep.wantedWithoutRoom.length > 0) found.push(`There is no room for ${sweep.wantedWithoutRoom.join(', ')}; numasim sweep --csv writes all.`);
  return found.map((text) => element('p', {class: 'warn'}, text));
}

function leftOut() {
  const found = [];
  const points = sweep.pointsWithRuns - sweep.points.length;
  if (points > 0) found.push(`the last ${counted(points, 'point')}`);
  if (sweep.withoutRuns > 0) found.push(`the single runs of ${counted(sweep.withoutRuns, 'metric')}`);
  if (sweep.withoutRoom > 0) found.push(counted(sweep.withoutRoom, 'metric'));
  return found.length > 0 ? [`${found.join(', ')}; numasim sweep --csv writes all`] : [];
}

function summaryTable() {
  const searching = sweep.searches.length > 0;
  const rows = [['database', sweep.path], ['scenario', sweep.scenario], ['numasim', sweep.version],
    ['parameters', sweep.parameters.map(({name}) => name).join(', ') || 'none'],
    ['points', searching ? `${countText(sweep.pointsWithRuns)} of ${countText(sweep.allPoints)}` : countText(sweep.allPoints)],
    ['seeds', `${searching ? 'at most ' : ''}${countText(sweep.seeds)} each, from ${sweep.firstSeed} on`],
    ['runs', `${countText(sweep.runs)}, ${countText(sweep.failures.of)} failed`]];
  leftOut().forEach((text) => rows.push(['not in this page', text]));
  return table(['', ''], rows);
}

function texts() {
  return sweep.texts.map(({name, text}) => element('details', {}, element('summary', {}, `The ${name}`), element('pre', {}, text)));
}

function pointTable(all) {
  const metrics = all.slice(0, mostColumns);
  const names = sweep.parameters.map(({name}) => name);
  const [failed, unmet] = [names.length + 1, names.length + 2];
  const counts = [[names.length, 'runs'], [failed, 'failed'], [unmet, 'unmet']].filter(([column], i) =>
      i === 0 || sweep.points.some((point) => point[column] > 0));
  const heads = [...names, ...counts.map(([, name]) => ({n: name})), ...metrics.flatMap(({name}) => [{n: name}, {n: '95% interval'}])];
  const rows = sweep.points.slice(0, mostRows).map((point, i) => [
    ...names.map((_, p) => sweep.parameters[p].values[point[p]]), ...counts.map(([column]) => ({n: countText(point[column])})),
    ...metrics.flatMap((metric) => {
      const here = metricAt(metric, i);
      return [{n: metricText(here.value, metric.unit)}, {n: intervalText(here, metric.unit) || (here.value === null ? '-' : 'too few runs')}];
    })]);
  return [table(heads, rows), ...more(all.length - metrics.length, 'metric', 'numasim sweep --csv writes all'),
    ...more(sweep.points.length - rows.length, 'point', 'numasim sweep --csv writes all')];
}

function searchTable(search) {
  const rows = search.groups.flatMap(({tried}) => tried.map((one) => [...sweep.parameters.map(({values}, p) => values[one.values[p]]),
    {n: countText(one.runs)}, {n: countText(one.holds)}, {n: metricText(one.low, 'share')}, {n: metricText(one.high, 'share')}, one.verdict]));
  const heads = [...sweep.parameters.map(({name}) => name), {n: 'runs'}, {n: 'holds in'}, {n: 'at least'}, {n: 'at most'}, 'share is'];
  return [table(heads, rows.slice(0, mostRows)), ...more(rows.length - mostRows, 'value', 'numasim sweep prints all')];
}

function messageTable({shown, of}) {
  if (of === 0) return [];
  return [table([{n: 'run'}, {n: 'seed'}, 'parameters', 'message'], shown.map(({run, seed, point, message}) =>
    [{n: String(run)}, {n: seed}, point, message])), ...more(of - shown.length, 'message', 'the database has all')];
}

function more(count, what, where) {
  return count > 0 ? [element('p', {class: 'note'}, `and ${countText(count)} more ${what}${count === 1 ? '' : 's'}; ${where}`)] : [];
}
