'use strict';
// The traces as numasim wrote them into the page (page_data.cc says in what form), and their columns as
// values at times.

class Trace {
  constructor(raw, index) {
    Object.assign(this, raw);
    this.index = index;
    this.cache = new Map();
    let time = 0;
    this.rows = raw.times.map((gap) => (time += gap));
    this.points = this.stretch > 0 ? 3 : 1;
    this.at = [];
    this.rows.forEach((from, i) => {
      const to = i + 1 < this.rows.length ? this.rows[i + 1] : this.end;
      const step = Math.max(0, Math.min(this.stretch, to - from)) / 3;
      for (let p = 0; p < this.points; ++p) this.at.push(from + p * step);
    });
    if (this.at.length && this.at[this.at.length - 1] < this.end) this.at.push(this.end);
    this.byName = new Map(raw.columns.map((column) => [column.name, column]));
  }

  // A column's value at each of `at`; it stands until the next.
  values(column) {
    if (!column.a) return new Float64Array(this.at.length).fill(column.value);
    if (this.cache.has(column.name)) return this.cache.get(column.name);
    const out = new Float64Array(this.at.length);
    let filled = 0;
    let row = -1;
    let value = 0;
    const put = (to) => { while (filled < to) out[filled++] = value; };
    column.a.forEach((change, i) => {
      row += column.r ? column.r[i] : 1;
      put(row * this.points);
      const earlier = value + change;
      const later = earlier + (column.b ? column.b[i] : 0);
      if (this.points === 3) { out[filled++] = earlier; out[filled++] = later; }
      value = later + (column.c ? column.c[i] : 0);
      out[filled++] = value;
    });
    put(out.length);
    this.cache.set(column.name, out);
    return out;
  }
}

const traces = JSON.parse(document.getElementById('data').textContent).traces.map((raw, i) => new Trace(raw, i));
const endOfAll = Math.max(1, ...traces.map((trace) => trace.end));
