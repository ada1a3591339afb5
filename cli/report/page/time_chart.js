// A plot of columns over time.

// {x: times, rows: [[x, value or null of each series]]} of series {trace, column, factor}: where any of them changes.
function rowsOf(series) {
  const at = [...new Set(series.map((one) => one.trace))].map((trace) => trace.at);
  const times = at.length === 1 ? at[0] : Array.from(new Set(at.flat())).sort((a, b) => a - b);
  const values = series.map((one) => one.trace.values(one.column));
  const next = series.map(() => 0);
  const rows = [];
  times.forEach((time, t) => {
    const row = [time];
    series.forEach((one, s) => {
      const mine = one.trace.at;
      while (next[s] < mine.length && mine[next[s]] <= time) ++next[s];
      row.push(next[s] === 0 || time > one.trace.end ? null : values[s][next[s] - 1] * (one.factor || 1));
    });
    const before = rows[rows.length - 1];
    if (!before || t + 1 === times.length || row.some((value, i) => i > 0 && value !== before[i])) rows.push(row);
  });
  return rows;
}

class TimeChart extends Chart {
  // options: as of Chart, {stacked}; series: [{trace, column, label, colour(), pattern, factor}]
  description() { return `${this.title} over simulated time, in ${this.unit}. Arrow keys pan, plus and minus zoom, 0 resets.`; }
  onKey(event) { onPlotKey(event); }

  draw() {
    this.rows = rowsOf(this.series);
    // dygraphs tells series apart by name; names from a trace never reach its HTML.
    return new Dygraph(this.plot, this.rows, Object.assign({
      labels: ['time', ...this.series.map((_, i) => `s${i}`)],
      legend: 'never', axisLabelFontSize: 11, stepPlot: true, connectSeparatedPoints: false, strokeWidth: 1.5, animatedZooms: false,
      dateWindow: [view.from, view.to], yRangePad: 6, labelsKMB: false, highlightCircleSize: 3,
      stackedGraph: !!this.stacked, fillGraph: !!this.stacked, fillAlpha: 0.85,
      series: Object.fromEntries(this.series.map((one, i) => [`s${i}`, {strokePattern: one.pattern}])),
      axes: {
        x: {axisLabelFormatter: (x) => axisTime(x, view.to - view.from, view.to), axisLabelWidth: 70, pixelsPerLabel: 80},
        y: {axisLabelFormatter: (y) => axisValue(y, this.unit), axisLabelWidth: 62},
      },
      interactionModel: Object.assign({}, Dygraph.defaultInteractionModel,
          {dblclick: () => view.reset(), touchstart: () => {}, touchmove: () => {}, touchend: () => {}}),
      zoomCallback: (from, to) => view.set(from, to),
      drawCallback: (graph, first) => { if (!first && !this.busy) view.set(...graph.xAxisRange()); },
      highlightCallback: (event, x, points, row) => this.tell(this.rows[row]),
      unhighlightCallback: () => this.tell(),
    }, this.theme()));
  }

  tell(row) {
    const value = (i) => (row && row[i + 1] !== null ? `: ${valueText(row[i + 1], this.unit)}` : '');
    this.label(row && timeText(row[0]), value);
  }
  update(options) {
    this.busy = true;
    super.update(Object.assign({dateWindow: [view.from, view.to]}, options));
    this.busy = false;
    this.stale = false;
  }
  show() {
    if (this.near) this.update({}); else this.stale = true;
  }
  onNear() { if (this.stale) this.update({}); }
}
