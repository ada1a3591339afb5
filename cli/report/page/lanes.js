// What happened, on a time line: a lane for each kind and reason, a mark for each time.

class LanePlot {
  constructor(lanes) {
    this.lanes = lanes;  // [{trace, lane, marks: [[time, count]]}]
    this.canvas = element('canvas', {tabindex: '0', role: 'img', 'aria-label':
        'Failures over simulated time, one lane for each row of the table. Arrow keys pan, plus and minus zoom, 0 resets.'});
    this.canvas.style.width = '100%';
    this.canvas.style.height = `${lanes.length * 18 + 26}px`;
    this.canvas.addEventListener('keydown', onPlotKey);
    view.plots.push(this);
    new ResizeObserver(() => this.show()).observe(this.canvas);
  }

  show() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (width === 0) return;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
    pen.textBaseline = 'middle';
    const style = getComputedStyle(document.documentElement);
    const left = 34;
    const x = (time) => left + (time - view.from) / (view.to - view.from) * (width - left - 8);
    this.lanes.forEach((one, i) => this.lane(pen, one, i, x, left, width, style));
    pen.fillStyle = style.getPropertyValue('--muted');
    for (let i = 0; i <= 4; ++i) {
      const time = view.from + (view.to - view.from) * i / 4;
      pen.textAlign = i === 4 ? 'right' : i === 0 ? 'left' : 'center';
      pen.fillText(axisTime(time, view.to - view.from, view.to), x(time), this.lanes.length * 18 + 14);
    }
  }

  lane(pen, {trace, lane, marks}, i, x, left, width, style) {
    const y = i * 18 + 9;
    pen.strokeStyle = lineColour();
    pen.beginPath(); pen.moveTo(left, y); pen.lineTo(width - 8, y); pen.stroke();
    pen.fillStyle = style.getPropertyValue('--muted');
    pen.textAlign = 'right';
    pen.fillText(String(i + 1), left - 8, y);
    pen.fillStyle = colourOf(traces.length > 1 ? trace.index : lane.failure ? 5 : 0);
    for (const [time, count] of marks) {
      const to = x(time + lane.stretch);
      if (to < left || x(time) > width - 8) continue;
      const size = Math.min(14, 5 + 2 * Math.log10(count));
      const from = Math.max(left, x(time) - 1.5);
      pen.fillRect(from, y - size / 2, Math.max(3, Math.min(width - 8, to) - from), size);
    }
  }
  repaint() { this.show(); }
  build() { this.show(); }
}

function laneSection() {
  const all = traces.flatMap((trace) => trace.lanes.shown.map((lane) => ({trace, lane})));
  if (all.length === 0) return [];
  const drawn = all.filter(({lane}) => lane.marks).map(({trace, lane}) => {
    const marks = [];
    for (let i = 0, time = 0; i < lane.marks.length; i += 2) marks.push([time += lane.marks[i], lane.marks[i + 1]]);
    return {trace, lane, marks};
  });
  const order = [...drawn, ...all.filter(({lane}) => !lane.marks)];
  const left = traces.reduce((sum, trace) => sum + trace.lanes.of - trace.lanes.shown.length, 0);
  const heads = [{n: 'lane'}, {n: 'count'}, {n: 'first'}, {n: 'last'}, 'what', 'the first of them'];
  if (traces.length > 1) heads.splice(1, 0, 'trace');
  return [new LanePlot(drawn).canvas, table(heads, order.map(({trace, lane}, i) => {
    const row = [{n: lane.marks ? String(i + 1) : ''}, {n: countText(lane.count)}, {n: timeText(lane.first)},
      {n: timeText(lane.last)}, `${lane.kind} ${lane.reason}`, lane.example];
    if (traces.length > 1) row.splice(1, 0, trace.label);
    return row;
  })), ...(left > 0 ? [element('p', {class: 'note'}, `and ${left} more kinds; numasim dump shows all`)] : [])];
}
