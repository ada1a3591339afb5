// Where the values of a parameter stand on the x axis: numbers by their size, or their logarithm where they
// rise so; texts at equal distances.

class Axis {
  // No parameter: one place.
  constructor(parameter) {
    this.name = parameter ? parameter.name : '';
    this.texts = parameter ? parameter.values : [sweep.scenario];
    const numbers = this.texts.map((text) => (text.trim() === '' ? NaN : Number(text)));
    this.numeric = numbers.every((number) => Number.isFinite(number));
    const scale = parameter?.logarithmic ? Math.log10 : (number) => number;
    this.places = this.texts.map((_, i) => (this.numeric ? scale(numbers[i]) : i));
    this.linear = this.numeric && !parameter?.logarithmic;
    const [least, most] = [Math.min(...this.places), Math.max(...this.places)];
    const margin = least === most ? 1 : (most - least) * 0.06;
    this.window = [least - margin, most + margin];
    // In pixels, of a label.
    this.room = Math.min(90, 16 + 7 * Math.max(0, ...this.texts.map((text) => text.length)));
    // By place, each once.
    this.marks = this.places.map((v, i) => ({v, text: this.texts[i]})).sort((a, b) => a.v - b.v);
  }

  // "pool=20480"
  textAt(place) { return this.name ? `${this.name}=${this.texts[place]}` : this.texts[place]; }

  // Labels for dygraphs, which takes them for HTML: the values, where there is room for each or for nothing better.
  ticks(from, to, pixels, options, graph) {
    const inside = this.marks.filter(({v}) => v >= from && v <= to);
    if (this.linear && (inside.length === 0 || inside.length > pixels / this.room))
      return Dygraph.numericTicks(from, to, pixels, options, graph);
    let last = -Infinity;
    const shown = inside.filter(({v}) => {
      const x = (v - from) / (to - from) * pixels;
      if (x - last < this.room) return false;
      last = x;
      return true;
    });
    return shown.map(({v, text}) => ({v, label: element('span', {}, element('i', {title: text}, text)).innerHTML}));
  }
}
