// A plot with its caption and its legend, drawn when it comes near the window.
//
// A subclass has description(), onKey(event), draw(), which makes the graph, and tell(row), which labels it.

class Chart {
  // options: {title, unit, series: [{label, colour(), pattern}], stacked}
  constructor(options) {
    Object.assign(this, options);
    this.plot = element('div', {class: 'plot', tabindex: '0', role: 'img', 'aria-label': this.description()});
    this.legend = element('div', {class: 'legend'});
    this.unitText = element('small', {}, this.unit);
    this.figure = element('figure', {}, element('figcaption', {}, `${this.title} `, this.unitText), this.plot, this.legend);
    this.plot.addEventListener('keydown', (event) => this.onKey(event));
    this.near = false;
    view.plots.push(this);
    Chart.watch.observe(this.plot);
    Chart.of.set(this.plot, this);
  }

  build() {
    if (this.graph) return;
    this.graph = this.draw();
    this.tell();
  }
  theme() {
    return {colors: this.series.map((one) => one.colour()), gridLineColor: lineColour(), axisLineColor: lineColour()};
  }

  // The legend: where the plot is looked at, if it is, and what each series has there.
  label(place, valueOf) {
    const parts = this.series.map((one, i) => {
      const swatch = drawing('svg', {width: 22, height: 8}, drawing('line', {x1: 0, x2: 22, y1: 4, y2: 4,
        stroke: one.colour(), 'stroke-width': this.stacked ? 8 : 2, 'stroke-dasharray': (one.pattern || []).join(' ')}));
      return element('span', {}, swatch, one.label + valueOf(i));
    });
    if (place) parts.unshift(element('b', {}, place));
    this.legend.replaceChildren(...parts);
  }

  update(options) { if (this.graph) this.graph.updateOptions(options); }
  repaint() { this.update(this.theme()); if (this.graph) { this.graph.resize(); this.tell(); } }
  onNear() {}
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
    chart.onNear();
  }
}, {rootMargin: '400px'});
