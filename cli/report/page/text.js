// Numbers, times and elements.

function timeText(ns) {
  if (ns === 0) return '0 s';
  const size = Math.abs(ns);
  const [unit, name] = size >= 1e9 ? [1e9, 's'] : size >= 1e6 ? [1e6, 'ms'] : size >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
  return `${Number((ns / unit).toPrecision(6))} ${name}`;
}

// A time on an axis that shows `span` ns up to `most` ns: all labels in one unit.
function axisTime(ns, span, most) {
  const [unit, name] = most >= 1e9 ? [1e9, 's'] : most >= 1e6 ? [1e6, 'ms'] : most >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
  const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(span / 10 / unit))));
  return `${Number((ns / unit).toFixed(digits))} ${name}`;
}

function countText(value) { return value.toLocaleString('en-US', {maximumFractionDigits: 1}); }

function sizeText(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let i = 0;
  while (Math.abs(bytes) >= 1024 && i + 1 < units.length) { bytes /= 1024; ++i; }
  return `${Number(bytes.toFixed(1))} ${units[i]}`;
}

function valueText(value, unit) {
  if (unit === 'ns') return timeText(value);
  return unit === 'pages' ? `${countText(value)} pages (${sizeText(value * 4096)})` : `${countText(value)} ${unit}`;
}

function axisValue(value, unit) {
  if (unit === 'ns') return timeText(value);
  for (const [size, name] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(6))} ${name}`;
  }
  return `${Number(value.toPrecision(6))}`;
}

// An element with these attributes and children. Texts from a trace become text nodes only.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A table; a cell is a text, a node or a number text in {n: text}.
function table(heads, rows) {
  const cell = (kind, content) => (content !== null && typeof content === 'object' && 'n' in content)
      ? element(kind, {class: 'n'}, content.n) : element(kind, {}, content);
  return element('div', {class: 'scroll'}, element('table', {},
      element('thead', {}, element('tr', {}, ...heads.map((head) => cell('th', head)))),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((content) => cell('td', content)))))));
}
