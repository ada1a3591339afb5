// What the pageblocks of a zone were used for when the run ended: a square for each, or for some together, row by
// row from the lowest address up.

const uses = [
  {name: 'no memory', light: '#e9ecef', dark: '#22272c'},
  {name: 'free', light: '#8fd3a6', dark: '#2f8f55'},
  {name: 'partly free, the rest can move', light: '#f5dd8c', dark: '#b08a25'},
  {name: 'partly free, something cannot move', light: '#f0a36b', dark: '#c0602a'},
  {name: 'in use, can move', light: '#a9c8ee', dark: '#3d6ea8'},
  {name: 'in use, cannot move', light: '#c0394f', dark: '#d4566b'},
  {name: 'transparent huge page', light: '#7d5bb5', dark: '#9d7fd6'},
  {name: 'HugeTLB page', light: '#3a3f8f', dark: '#6f78e0'},
];
const kPageblock = 2 * 1024 * 1024;

function useColour(use) { return uses[use][darkQuery.matches && !printing ? 'dark' : 'light']; }

class PageblockPlot {
  constructor(trace, map) {
    Object.assign(this, {trace, map});
    this.cells = [];
    for (let i = 0; i < map.runs.length; i += 2) for (let n = map.runs[i + 1]; n > 0; --n) this.cells.push(map.runs[i]);
    this.size = this.cells.length > 20000 ? 3 : this.cells.length > 4000 ? 5 : 8;
    this.canvas = element('canvas', {role: 'img', 'aria-label': `Pageblocks of ${map.zone} by use; the list below has the sums.`});
    this.canvas.style.width = '100%';
    this.legend = element('div', {class: 'legend'});
    this.pointed = element('div', {class: 'note'}, ' ');
    const title = `${map.zone}${traces.length > 1 ? `, ${trace.label}` : ''} `;
    const scale = `a square is ${sizeText(map.per * kPageblock)}${map.per > 1 ? ', of the use that most of it has' : ''}`;
    this.figure = element('figure', {}, element('figcaption', {}, title, element('small', {}, scale)), this.canvas, this.legend, this.pointed);
    this.canvas.addEventListener('mousemove', (event) => this.point(event));
    this.canvas.addEventListener('mouseleave', () => this.pointed.replaceChildren(' '));
    view.plots.push(this);
    new ResizeObserver(() => this.repaint()).observe(this.canvas);
  }

  get columns() { return Math.max(1, Math.floor(this.canvas.clientWidth / this.size)); }

  repaint() {
    if (this.canvas.clientWidth === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const height = Math.ceil(this.cells.length / this.columns) * this.size;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = this.canvas.clientWidth * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    this.cells.forEach((use, i) => {
      pen.fillStyle = useColour(use);
      pen.fillRect(i % this.columns * this.size, Math.floor(i / this.columns) * this.size, this.size - 1, this.size - 1);
    });
    this.legend.replaceChildren(...this.map.totals.flatMap((count, use) => count === 0 ? [] : [element('span', {},
      drawing('svg', {width: 12, height: 10}, drawing('rect', {width: 10, height: 10, fill: useColour(use)})),
      `${uses[use].name}: ${sizeText(count * kPageblock)}`)]));
  }

  point(event) {
    const cell = Math.floor(event.offsetY / this.size) * this.columns + Math.floor(event.offsetX / this.size);
    if (cell >= this.cells.length || event.offsetX >= this.columns * this.size) return;
    const pfn = this.map.first + cell * this.map.per * 512;
    this.pointed.replaceChildren(`from pfn ${pfn}: ${uses[this.cells[cell]].name}`);
  }

  show() {}  // has no time
  build() { this.repaint(); }
}

function pageblockSection() {
  const all = traces.flatMap((trace) => trace.pageblocks.map((map) => new PageblockPlot(trace, map)));
  return all.map((plot) => plot.figure);
}
