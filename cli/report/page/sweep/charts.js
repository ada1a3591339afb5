// The plots of metrics and of searches.

function metricText(value, unit) {
  if (value === null) return '-';
  if (unit === 'share') return `${Number((value * 100).toPrecision(4))}%`;
  if (unit !== 'ns' && !Number.isInteger(value) && Math.abs(value) < 1000) return `${Number(value.toPrecision(4))} ${unit}`;
  return valueText(value, unit);
}

function axisMetric(value, unit) { return unit === 'share' ? `${Number((value * 100).toPrecision(6))}%` : axisValue(value, unit); }

// "2 to 7 pages"
function intervalText({low, high}, unit, before = '', behind = '') {
  const least = metricText(low, unit === 'ns' || unit === 'share' ? unit : '').trim();
  return low === null ? '' : `${before}${least} to ${metricText(high, unit)}${behind}`;
}

// What a metric is at a point, by the point's place in sweep.points.
function metricAt(metric, i) {
  return {value: metric.median[i], low: metric.low?.[i] ?? null, high: metric.high?.[i] ?? null, runs: metric.runs?.[i] ?? []};
}

function metricChart(metric, parameter) {
  return new ValueChart({title: metric.name, unit: metric.unit, over: (over) => {
    const axis = new Axis(sweep.parameters[over]);
    return {axis, lines: linesOver(over).map(({label, points, apart}) => ({label, apart, points: points.map((i) => {
      const place = sweep.points[i][over] ?? 0;
      return {...metricAt(metric, i), place, x: axis.places[place], note: ''};
    })}))};
  }}).set(parameter);
}

function searchChart(search) {
  const {parameter} = search;
  const axis = new Axis(sweep.parameters[parameter]);
  const lines = search.groups.map(({others, tried}) => ({label: others || 'share of runs', points: tried.map((one) => (
    {value: one.holds / one.runs, low: one.low, high: one.high, runs: [], open: one.verdict === 'undecided',
      note: `${one.holds} of ${one.runs} runs, ${one.verdict}`, place: one.values[parameter], x: axis.places[one.values[parameter]]}))}));
  // Of more than can be told apart the table tells.
  return new ValueChart({title: `runs in which ${search.condition}`, unit: 'share', bound: search.bound,
    over: () => ({axis, lines: lines.slice(0, mostLines)})}).set(parameter);
}
