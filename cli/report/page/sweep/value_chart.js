// A plot of values over a parameter: for each line a mark at each value, how sure it is, and the runs.

// Rows for dygraphs of lines [{points: [{x, value}]}]: [{x, points: [of each line or null]}], as many of an x as
// any line has points there.
function valueRows(lines) {
  const byX = new Map();
  lines.forEach(({points}, line) => {
    for (const point of points) {
      if (!byX.has(point.x)) byX.set(point.x, []);
      const here = byX.get(point.x);
      let row = here.find((one) => one.points[line] === null);
      if (!row) here.push(row = {x: point.x, points: lines.map(() => null)});
      row.points[line] = point;
    }
  });
  return [...byX.keys()].sort((a, b) => a - b).flatMap((x) => byX.get(x));
}

class ValueChart extends Chart {
  // options: {title, unit, bound, over(parameter)}; over() gives {axis, lines: [{label, apart, points: [{x, place, value,
  // low, high, runs, open, note}]}]}: `low` and `high` null where they are not known, `runs` the single ones, `open`
  // of a mark that is to be hollow.
  description() {
    return `${this.title}, in ${this.unit}. Arrow keys go from value to value, plus and minus zoom, 0 resets.`;
  }

  // Shows it over another parameter.
  set(parameter) {
    const {axis, lines} = this.over(parameter);
    const points = lines.flatMap((line) => line.points);
    Object.assign(this, {axis, lines, rows: valueRows(lines), range: this.rangeOf(points), at: null});
    this.series = lines.map((line, i) => ({label: line.label, colour: () => colourOf(i),
      pattern: patterns[Math.floor(i / palettes.light.length) % patterns.length]}));
    this.unitText.textContent = axis.name ? `${this.unit}, over ${axis.name}` : this.unit;
    if (!this.graph) return this;
    this.graph.destroy();
    this.graph = null;
    if (this.near) this.build();
    return this;
  }

  // From 0 where that is not far from the least value.
  rangeOf(points) {
    const values = points.flatMap(({value, low, high, runs}) => [value, low ?? value, high ?? value, ...runs]);
    if (this.bound !== undefined) values.push(this.bound);
    let [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    if (!(least <= most)) [least, most] = [0, 1];
    if (least > 0 && least < most / 2) least = 0;
    const margin = (most - least || Math.abs(most) || 1) * 0.06;
    return [least === 0 ? -margin / 3 : least - margin, most + margin];
  }

  draw() {
    const plotters = this.lines.map((line, i) => [`s${i}`, {plotter: (event) => this.line(event, i)}]);
    return new Dygraph(this.plot, this.rows.map(({x, points}) => [x, ...points.map((point) => point && point.value)]), Object.assign({
      labels: ['x', ...this.lines.map((_, i) => `s${i}`)], series: Object.fromEntries(plotters),
      legend: 'never', axisLabelFontSize: 11, animatedZooms: false, highlightCircleSize: 0, connectSeparatedPoints: true,
      dateWindow: this.axis.window, valueRange: this.range,
      axes: {
        x: {ticker: (...of) => this.axis.ticks(...of), axisLabelFormatter: (x) => axisValue(x, ''), axisLabelWidth: this.axis.room, drawGrid: false},
        y: {axisLabelFormatter: (y) => axisMetric(y, this.unit), axisLabelWidth: 62},
      },
      interactionModel: Object.assign({}, Dygraph.defaultInteractionModel,
          {dblclick: () => this.reset(), touchstart: () => {}, touchmove: () => {}, touchend: () => {}}),
      underlayCallback: (pen, area, graph) => this.drawBound(pen, area, graph),
      highlightCallback: (event, x, points, row) => this.tell(row),
      unhighlightCallback: () => this.tell(),
    }, this.theme()));
  }

  drawBound(pen, area, graph) {
    if (this.bound === undefined) return;
    const y = graph.toDomYCoord(this.bound);
    pen.save();
    pen.strokeStyle = pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--warn');
    pen.setLineDash([6, 4]);
    pen.beginPath(); pen.moveTo(area.x, y); pen.lineTo(area.x + area.w, y); pen.stroke();
    pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
    pen.fillText(metricText(this.bound, this.unit), area.x + 3, y - 4);
    pen.restore();
  }

  // Lines stand a little beside one another, so that each one's intervals can be seen, but nearer to their own value
  // than to the next one.
  shift(i) {
    const spread = this.lines.some(({points}) => points.some(({low, runs}) => low !== null || runs.length > 0));
    const gap = this.plot.clientWidth / (this.rows.length + 1);
    return spread ? (i - (this.lines.length - 1) / 2) * Math.min(8, Math.min(30, gap / 2) / this.lines.length) : 0;
  }

  line({dygraph, drawingContext: pen, color}, i) {
    const {points, apart} = this.lines[i];
    const marks = points.filter(({value}) => value !== null).sort((a, b) => a.x - b.x).map((point) => (
      {point, x: dygraph.toDomXCoord(point.x) + this.shift(i), y: (value) => dygraph.toDomYCoord(value)}));
    pen.save();
    pen.strokeStyle = pen.fillStyle = color;
    pen.lineWidth = 1.5;
    if (!apart) {
      pen.setLineDash(this.series[i].pattern || []);
      pen.beginPath();
      marks.forEach(({point, x, y}) => pen.lineTo(x, y(point.value)));
      pen.stroke();
      pen.setLineDash([]);
    }
    marks.forEach((mark) => this.mark(pen, mark));
    pen.restore();
  }

  mark(pen, {point, x, y}) {
    pen.globalAlpha = 0.35;
    point.runs.forEach((value, k) => {
      pen.beginPath(); pen.arc(x + (k * 7 % 9 - 4) * 1.2, y(value), 1.8, 0, 7); pen.fill();
    });
    pen.globalAlpha = 1;
    if (point.low !== null) {
      pen.beginPath();
      for (const end of [point.low, point.high]) { pen.moveTo(x - 4, y(end)); pen.lineTo(x + 4, y(end)); }
      pen.moveTo(x, y(point.low)); pen.lineTo(x, y(point.high));
      pen.stroke();
    }
    pen.beginPath(); pen.arc(x, y(point.value), 3.5, 0, 7);
    if (point.open) {
      pen.save();
      pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--bg');
      pen.fill();
      pen.restore();
      pen.stroke();
    } else {
      pen.fill();
    }
  }

  tell(row) {
    const here = row === undefined ? null : this.rows[row];
    const first = here && here.points.find((point) => point);
    this.label(first && this.axis.textAt(first.place), (i) => {
      const point = here && here.points[i];
      return point ? `: ${metricText(point.value, this.unit)}${intervalText(point, this.unit, ' (', ')')}${point.note ? `, ${point.note}` : ''}` : '';
    });
  }

  reset() { this.update({dateWindow: this.axis.window, valueRange: this.range}); }
  zoom(factor) {
    const [from, to] = this.graph.xAxisRange();
    const middle = this.at === null ? (from + to) / 2 : this.rows[this.at].x;
    const half = (to - from) * factor / 2;
    this.update({dateWindow: [Math.max(this.axis.window[0], middle - half), Math.min(this.axis.window[1], middle + half)]});
  }
  step(by) {
    if (this.rows.length === 0) return;
    this.at = Math.min(this.rows.length - 1, Math.max(0, this.at === null ? 0 : this.at + by));
    this.tell(this.at);
  }
  onKey(event) {
    const act = {ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), '+': () => this.zoom(0.5),
      '=': () => this.zoom(0.5), '-': () => this.zoom(2), '0': () => this.reset()}[event.key];
    if (!act || !this.graph || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
}
