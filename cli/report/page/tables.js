// The summary, what was done and how long it took, and what locks saw.

function summaryTable() {
  const fact = (name, f) => [name, ...traces.map(f)];
  const rows = [
    fact('trace', (trace) => trace.path), fact('scenario', (trace) => trace.scenario),
    fact('simulated time', (trace) => timeText(trace.end)), fact('seed', (trace) => trace.seed),
    fact('numasim', (trace) => trace.version),
    fact('samples', (trace) => `${countText(trace.samples)}, every ${timeText(trace.interval)}`),
    fact('events', (trace) => countText(trace.events)),
    fact('shown', (trace) => trace.stretch > 0
        ? `thinned: least, greatest and last value of each ${timeText(trace.stretch)}; zooming in shows no more`
        : 'every sample in which anything changes'),
  ];
  if (traces.some((trace) => trace.endedBy)) rows.push(fact('ended by', (trace) => trace.endedBy));
  return table(['', ...traces.map((trace) => trace.label)], rows);
}

// Times as a drawing: the share of each quarter of a power of two, on a logarithmic axis.
function histogram(times, colour) {
  const [width, height] = [190, 34];
  const buckets = [];
  for (let i = 0; i < times.buckets.length; i += 2) buckets.push([times.buckets[i], times.buckets[i + 1]]);
  const scale = (ns) => Math.log2(ns + 1);
  const [low, high] = [scale(buckets[0][0]), Math.max(scale(times.max), scale(buckets[0][0]) + 1)];
  const most = Math.max(...buckets.map((bucket) => bucket[1]));
  const x = (ns) => (scale(ns) - low) / (high - low) * width;
  const path = buckets.map(([ns, count]) => {
    const [from, to] = [x(ns), Math.max(x(ns) + 2, Math.min(width, x(ns * 1.19)))];
    const top = height - 12 - (height - 14) * count / most;
    return `M${from.toFixed(1)} ${height - 12}V${top.toFixed(1)}H${to.toFixed(1)}V${height - 12}Z`;
  }).join('');
  return drawing('svg', {class: 'hist', width, height, role: 'img', 'aria-label': `from ${timeText(buckets[0][0])} to ${timeText(times.max)}`},
      drawing('path', {d: path, fill: colour, stroke: colour}),
      drawing('text', {x: 0, y: height - 1}, timeText(buckets[0][0])),
      drawing('text', {x: width, y: height - 1, 'text-anchor': 'end'}, timeText(times.max)));
}

function timesCells(times, colour) {
  if (!times || times.buckets.length === 0) return [{n: ''}, {n: ''}, {n: ''}, ''];
  return [{n: timeText(times.mean)}, {n: timeText(times.p99)}, {n: timeText(times.max)}, histogram(times, colour)];
}

function operationSection() {
  const all = traces.flatMap((trace) => trace.operations.shown.map((operation) => ({trace, operation})));
  if (all.length === 0) return [];
  const heads = ['of', 'operation', {n: 'tried'}, {n: 'failed'}, 'why', {n: 'took, mean'}, {n: '99%'}, {n: 'longest'}, 'times'];
  if (traces.length > 1) heads.splice(2, 0, 'trace');
  const left = traces.reduce((sum, trace) => sum + trace.operations.of - trace.operations.shown.length, 0);
  return [table(heads, all.map(({trace, operation}) => {
    const row = [operation.script || 'the machine', operation.operation, {n: countText(operation.tried)},
      {n: countText(operation.failed)}, operation.reasons, ...timesCells(operation.took, colourOf(trace.index))];
    if (traces.length > 1) row.splice(2, 0, trace.label);
    return row;
  })), ...(left > 0 ? [element('p', {class: 'note'}, `and ${left} more operations; numasim dump shows all`)] : [])];
}

function lockSection() {
  const all = traces.flatMap((trace) => trace.locks.shown.map((lock) => ({trace, lock})));
  if (all.length === 0) return [];
  const heads = ['lock', 'where', {n: 'acquired'}, {n: 'contended'}, {n: 'wait mean'}, {n: '99%'}, {n: 'longest'}, 'waits',
    {n: 'hold mean'}, {n: '99%'}, {n: 'longest'}, 'holds'];
  if (traces.length > 1) heads.splice(2, 0, 'trace');
  const left = traces.reduce((sum, trace) => sum + trace.locks.of - trace.locks.shown.length, 0);
  return [table(heads, all.map(({trace, lock}) => {
    const row = [lock.name, lock.place, {n: countText(lock.acquired)}, {n: countText(lock.contended)},
      ...timesCells(lock.wait, colourOf(trace.index)), ...timesCells(lock.hold, colourOf(trace.index))];
    if (traces.length > 1) row.splice(2, 0, trace.label);
    return row;
  })), ...(left > 0 ? [element('p', {class: 'note'}, `and ${left} more locks; numasim dump shows all`)] : [])];
}

function scenarioTexts() {
  return traces.map((trace) => element('details', {}, element('summary', {}, `Scenario of ${trace.label}`),
      element('pre', {}, trace.text), ...trace.scripts.flatMap((script) => [element('h3', {}, script.name),
        element('pre', {}, script.text)])));
}
