// The stretch of simulated time that all plots show.

const view = {
  from: 0,
  to: endOfAll,
  plots: [],  // each has show()

  set(from, to) {
    const least = Math.min(endOfAll, 10);
    const width = Math.min(endOfAll, Math.max(least, to - from));
    const start = Math.min(Math.max(0, from), endOfAll - width);
    if (start === this.from && start + width === this.to) return;
    this.from = start;
    this.to = start + width;
    this.plots.forEach((plot) => plot.show());
    this.tell();
  },
  reset() { this.set(0, endOfAll); },
  pan(share) { const by = share * (this.to - this.from); this.set(this.from + by, this.to + by); },
  zoom(factor) {
    const middle = (this.from + this.to) / 2;
    const half = (this.to - this.from) * factor / 2;
    this.set(middle - half, middle + half);
  },
  tell() {
    document.getElementById('range').textContent = `${timeText(this.from)} to ${timeText(this.to)}`;
  },
};

const keys = {
  ArrowLeft: () => view.pan(-0.2), ArrowRight: () => view.pan(0.2),
  '+': () => view.zoom(0.5), '=': () => view.zoom(0.5), '-': () => view.zoom(2), '0': () => view.reset(),
};

function onPlotKey(event) {
  const act = keys[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
}
