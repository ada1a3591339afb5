// A plot of columns over time, drawn when it comes near the window.

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

class Chart {
  // options: {title, unit, series: [{trace, column, label, colour(), pattern, factor}], stacked}
  constructor(options) {
    Object.assign(this, options);
    this.plot = element('div', {class: 'plot', tabindex: '0', role: 'img', 'aria-label':
        `${this.title} over simulated time, in ${this.unit}. Arrow keys pan, plus and minus zoom, 0 resets.`});
    this.legend = element('div', {class: 'legend'});
    this.figure = element('figure', {}, element('figcaption', {}, `${this.title} `, element('small', {}, this.unit)),
        this.plot, this.legend);
    this.plot.addEventListener('keydown', onPlotKey);
    this.near = false;
    view.plots.push(this);
    Chart.watch.observe(this.plot);
    Chart.of.set(this.plot, this);
  }

  build() {
    if (this.graph) return;
    this.rows = rowsOf(this.series);
    // dygraphs tells series apart by name; names from a trace never reach its HTML.
    this.graph = new Dygraph(this.plot, this.rows, Object.assign({
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
    this.tell();
  }

  theme() {
    return {colors: this.series.map((one) => one.colour()), gridLineColor: lineColour(), axisLineColor: lineColour()};
  }

  // The legend, with the values of a row where one is given.
  tell(row) {
    const parts = this.series.map((one, i) => {
      const swatch = drawing('svg', {width: 22, height: 8}, drawing('line', {x1: 0, x2: 22, y1: 4, y2: 4,
        stroke: one.colour(), 'stroke-width': this.stacked ? 8 : 2, 'stroke-dasharray': (one.pattern || []).join(' ')}));
      const value = row && row[i + 1] !== null ? `: ${valueText(row[i + 1], this.unit)}` : '';
      return element('span', {}, swatch, one.label + value);
    });
    if (row) parts.unshift(element('b', {}, timeText(row[0])));
    this.legend.replaceChildren(...parts);
  }

  update(options) {
    if (!this.graph) return;
    this.busy = true;
    this.graph.updateOptions(Object.assign({dateWindow: [view.from, view.to]}, options));
    this.busy = false;
    this.stale = false;
  }
  show() {
    if (this.near) this.update({}); else this.stale = true;
  }
  repaint() { this.update(this.theme()); if (this.graph) { this.graph.resize(); this.tell(); } }
  remove() {
    view.plots = view.plots.filter((plot) => plot !== this);
    Chart.watch.unobserve(this.plot);
    if (this.graph) this.graph.destroy();
    this.figure.remove();
  }
}

Chart.of = new WeakMap();
Chart.watch = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = Chart.of.get(entry.target);
    chart.near = entry.isIntersecting;
    if (!chart.near) continue;
    chart.build();
    if (chart.stale) chart.update({});
  }
}, {rootMargin: '400px'});
